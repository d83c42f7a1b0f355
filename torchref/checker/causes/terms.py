"""An additive part absent or wrong: what is left of the true gradient has a form of its own."""

from collections.abc import Iterator

import torch
from torch import Tensor

from torchref.checker.causes.mismatch import Hypothesis, Mismatch
from torchref.checker.execution.arithmetic import SAME
from torchref.checker.execution.numbers import told_apart

NEARLY = 1e-2  # relative: factors no further apart come from one, and a small term beside it


def missing_term(wrong: Mismatch) -> Iterator[Hypothesis]:
    rest = wrong.true - wrong.got
    if not bool(torch.isfinite(rest.abs()).all()) or not bool(rest.any()):
        return
    if int((rest.abs() > SAME * rest.abs().max()).sum()) < 2:
        return  # a single entry has any form
    if _alike_along(rest.reshape(-1), 0):
        number = rest.reshape(-1)[0].item()
        yield Hypothesis(
            "missing-term",
            f"what is missing is {number:.6g} in every entry: a constant, or a sum or mean over "
            "all of them",
        )
        return
    for dim in range(rest.dim()):
        if rest.shape[dim] > 1 and _alike_along(rest, dim):
            yield Hypothesis(
                "missing-term",
                f"what is missing is the same for all entries along dimension {dim}: a sum or "
                "mean over it",
            )
            return
    for name, value in wrong.values.items():
        if value.shape != rest.shape or rest.dim() == 0 or value.is_complex():
            continue
        for dim in range(rest.dim()):
            if rest.shape[dim] > 2 and _proportional_along(rest, value, dim):
                yield Hypothesis(
                    "missing-term",
                    f"what is missing is {name} times one number for each line along "
                    f"dimension {dim}: a projection on {name}",
                )
                return


def unexplained(wrong: Mismatch) -> Iterator[Hypothesis]:
    """The fallback: wrong, and no simpler cause describes it."""
    if not bool(torch.isfinite(wrong.got.abs()).all()):
        return
    got, true = wrong.got.reshape(-1), wrong.true.reshape(-1)
    finite = torch.isfinite(true.abs())
    got, true = got[finite], true[finite]
    if wrong.got.numel() == 1:
        yield Hypothesis("missing-term", "a single entry, and no known factor explains it")
        return
    lengths = float(got.abs().square().sum().sqrt() * true.abs().square().sum().sqrt())
    if lengths > 0:
        cosine = float((got * true.conj()).real.sum()) / lengths
        yield Hypothesis(
            "missing-term",
            f"{100 * wrong.fraction:.0f} % of the entries differ and no single factor explains "
            f"it; the cosine to the true gradient is {cosine:.4f}{_nearly(got, true)}",
        )


def _nearly(got: Tensor, true: Tensor) -> str:
    """Of entries that all are off by nearly the same factor, the smallest and the largest."""
    if got.is_complex() or not bool(true.all()):
        return ""
    low, high = sorted(map(float, torch.aminmax(got / true)), key=abs)
    if not abs(high - low) < NEARLY * abs(low):
        return ""
    low_told, high_told = told_apart(low, high)
    return f", and every entry is {low_told} to {high_told} times the true one"


def _alike_along(x: Tensor, dim: int) -> bool:
    spread = (x - x.mean(dim, keepdim=True)).abs().max()
    return float(spread) <= SAME * float(x.abs().max())


def _proportional_along(x: Tensor, value: Tensor, dim: int) -> bool:
    length = value.square().sum(dim, keepdim=True)
    if bool((length == 0).any()):
        return False
    projection = (x * value).sum(dim, keepdim=True) / length
    return float((x - projection * value).abs().max()) <= SAME * float(x.abs().max())
