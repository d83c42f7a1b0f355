"""A term of the sum that is forgotten, or should not be there: what true − got is."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from torchref.checker.causes.factor import proportion
from torchref.checker.causes.local_derivative import DERIVATIVES, spread_over
from torchref.checker.causes.mismatch import Mismatch
from torchref.checker.execution.arithmetic import SAME
from torchref.checker.execution.numbers import told_apart

SAYS_SOMETHING = 4  # entries other than 0, of which no form fits by chance
MOST_ELEMENTS = 100_000  # of which a hundred terms are tried
FEW_ELEMENTS = 10_000  # of which a thousand are
LEAST_DIGITS = 1e-3  # relative, where most digits of the difference are lost in the subtraction
NEARLY = 1e-2  # relative: factors no further apart come from one, and a small term beside it


def term_in_sight(wrong: Mismatch) -> Iterator[str]:
    """true − got = k · (grad_output, a value, a function of one, or a product of these)."""
    rest = wrong.true - wrong.got
    if rest.numel() > MOST_ELEMENTS or not bool(torch.isfinite(rest.abs()).all()):
        return
    if int(rest.count_nonzero()) < SAYS_SOMETHING:
        return
    lost = float(wrong.true.abs().max() / rest.abs().max())
    near = min(wrong.rounding * max(1.0, lost), LEAST_DIGITS)
    found: list[tuple[float, str]] = []
    for told, term in _terms(wrong):
        k = proportion(rest, term, near) if term.shape == rest.shape else None
        if k is not None and int(term.count_nonzero()) >= SAYS_SOMETHING:
            found.append((min(abs(abs(k) - simple) for simple in (0.5, 1.0, 2.0)), _said(told, k)))
    if found:
        yield min(found)[1]


def sum_or_projection(wrong: Mismatch) -> Iterator[str]:
    """true − got is one number for all entries, or for each line, or for each line times x."""
    rest = wrong.true - wrong.got
    if not bool(torch.isfinite(rest.abs()).all()) or not bool(rest.any()):
        return
    if int((rest.abs() > SAME * rest.abs().max()).sum()) < 2:
        return  # a single entry has any form
    missing = "what is missing is"
    if _alike_along(rest.reshape(-1), 0):
        number = f"{rest.reshape(-1)[0].item():.6g}"
        yield f"{missing} {number} in every entry: a constant, or a sum or mean over all of them"
        return
    for dim in range(rest.dim()):
        if rest.shape[dim] > 1 and _alike_along(rest, dim):
            its = f"the same for all entries along dimension {dim}"
            yield f"{missing} {its}: a sum or mean over it"
            return
    for name, value in wrong.values.items():
        if value.shape != rest.shape or rest.dim() == 0 or value.is_complex():
            continue
        for dim in range(rest.dim()):
            if rest.shape[dim] > 2 and _proportional_along(rest, value, dim):
                its = f"{name} times one number for each line along dimension {dim}"
                yield f"{missing} {its}: a projection on {name}"
                return


def unexplained(wrong: Mismatch) -> Iterator[str]:
    """Wrong, and no simpler cause describes it."""
    if not bool(torch.isfinite(wrong.got.abs()).all()):
        return
    got, true = wrong.got.reshape(-1), wrong.true.reshape(-1)
    finite = torch.isfinite(true.abs())
    got, true = got[finite], true[finite]
    if wrong.got.numel() == 1:
        yield "a single entry, and no known factor explains it"
        return
    lengths = float(got.abs().square().sum().sqrt() * true.abs().square().sum().sqrt())
    if lengths > 0:
        cosine = float((got * true.conj()).real.sum()) / lengths
        share = f"{100 * wrong.fraction:.0f} % of the entries differ and no single factor explains"
        yield f"{share} it; the cosine to the true gradient is {cosine:.4f}{_nearly(got, true)}"


def _said(told: str, k: float) -> str:
    number = "" if abs(abs(k) - 1) < LEAST_DIGITS else f"{abs(k):.6g} · "
    return f"{number}{told} is {'missing' if k > 0 else 'too much'}: it is the whole difference"


def _terms(wrong: Mismatch) -> Iterator[tuple[str, Tensor]]:
    like = wrong.true
    alone = dict(_factors(wrong.values, like))
    few = like.numel() <= FEW_ELEMENTS
    values = {name: v for name, v in wrong.values.items() if few and v.shape == like.shape}
    for name, g in wrong.incoming.items():
        spread = spread_over(g, like)
        if spread is not None:
            if spread.numel() > 1 and g.numel() > 1:
                yield name, spread
            for told, factor in alone.items():
                yield f"{name} · {told}", spread * factor
                for other, value in values.items():
                    if not told.endswith(other):  # its square is among the factors
                        yield f"{name} · {other} · {told}", spread * value * factor
        yield from _products(name, g, wrong.values)
    yield from alone.items()


def _factors(values: Mapping[str, Tensor], like: Tensor) -> Iterator[tuple[str, Tensor]]:
    """The values and functions of them, where they fit."""
    for name, value in values.items():
        spread = spread_over(value, like)
        if spread is None or value.numel() < 2:
            continue
        for formula, derivative in DERIVATIVES.items():
            factor = derivative(spread)
            if bool(torch.isfinite(factor).all()):
                told = formula.format(v=name).removesuffix(" itself")
                yield (f"({told})" if " " in told else told), factor


def _products(name: str, g: Tensor, values: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """grad_output in a product of matrices, as each layer's backward has it."""
    for other, value in values.items():
        if g.dim() < 2 or g.dim() != value.dim() or g.dtype != value.dtype:
            continue
        for left, right, told in (
            (g, value, f"{name} @ {other}"),
            (g, value.mT, f"{name} @ {other}ᵀ"),
            (g.mT, value, f"{name}ᵀ @ {other}"),
            (value, g, f"{other} @ {name}"),
            (value.mT, g, f"{other}ᵀ @ {name}"),
            (value, g.mT, f"{other} @ {name}ᵀ"),
        ):
            if left.shape[-1] == right.shape[-2] and left.shape[:-2] == right.shape[:-2]:
                yield told, left @ right


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
