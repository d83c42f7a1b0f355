"""An op that works entry by entry: the slope that its backward takes, beside the true one."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from torchref.checker.causes.mismatch import Hypothesis, Mismatch
from torchref.checker.diagnosis.experiments.true_gradient import true_under
from torchref.checker.execution.arithmetic import draw_signed, same
from torchref.checker.execution.numbers import told_apart
from torchref.checker.execution.run import Run

SHOWN = 2  # entries
MOST_NAMES = 3  # of what an entry was computed from
KNOWN: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "log sigmoid": F.logsigmoid,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "atan": torch.atan,
    "erf": torch.erf,
    "GELU, with erf": F.gelu,
    "GELU approximated by tanh": lambda x: F.gelu(x, approximate="tanh"),
    "GELU approximated by x σ(1.702 x)": lambda x: x * torch.sigmoid(1.702 * x),
    "SiLU": F.silu,
    "Mish": F.mish,
    "ReLU": torch.relu,
    "ReLU6": F.relu6,
    "ELU": F.elu,
    "SELU": F.selu,
    "CELU": F.celu,
    "leaky ReLU of slope 0.01": F.leaky_relu,
    "hard sigmoid": F.hardsigmoid,
    "hard swish": F.hardswish,
    "hard tanh": F.hardtanh,
    "sin": torch.sin,
    "cos": torch.cos,
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "exp": torch.exp,
    "exp(−x²)": lambda x: torch.exp(-(x**2)),
    "x²": torch.square,
    "x³": lambda x: x**3,
    "|x|": torch.abs,
}


def wrong_slope(run: Run, place: int, wrong: Mismatch) -> Iterator[Hypothesis]:
    """What is wrong where the true gradient is grad_output times a slope, entry by entry."""
    slopes = _slopes(run, place, wrong)
    if slopes is None:
        return
    got, true = slopes
    if true is None:
        assert got is not None
        told = "into each entry of the gradient only the same entry of grad_output enters, where "
        yield Hypothesis(
            "missing-term", f"{told}others should too: what they contribute is missing"
        )
    elif got is None:
        told = "into each entry of the gradient others of grad_output enter than the same one, "
        yield Hypothesis("missing-term", f"{told}which alone should: there is a sum too many")
    else:
        told = _told_of_known(run, place, got, true) or _told_in_numbers(wrong, got, true)
        yield Hypothesis("missing-local-derivative", told)


def _slopes(run: Run, place: int, wrong: Mismatch) -> tuple[Tensor | None, Tensor | None] | None:
    """Both gradients over grad_output, None for one that is no such product; None for neither."""
    if len(run.cotangents) != 1:
        return None
    i, c = next(iter(run.cotangents.items()))
    if c.shape != wrong.got.shape or c.is_complex() or wrong.got.is_complex() or c.numel() < 2:
        return None
    if 1 in c.shape and run.case.label != "as given":
        return None  # a sum over a single entry is none
    kept = torch.arange(c.numel(), device=c.device).reshape(c.shape) % 2 == 0
    other = torch.where(kept, c, draw_signed(c, run.generator()))
    again = run.gradients_to({i: other})[place]
    true = true_under(run, place, wrong.true, {i: other})
    if again is None or true is None:
        return None
    slopes = []
    for here, there in ((wrong.got, again), (wrong.true, true)):
        alone = same(here[kept], there[kept])
        if alone and not same(here / c, there / other):
            return None  # not linear in grad_output: it has no slope
        slopes.append(here / c if alone else None)
    return None if slopes == [None, None] else (slopes[0], slopes[1])


def _told_of_known(run: Run, place: int, got: Tensor, true: Tensor) -> str:
    """A function of which this is the slope, if it is one exactly."""
    x = run.case.arguments[place]
    meant = _owner(x, true)
    taken = _owner(x, got)
    if taken is None:
        return ""
    forward = "" if meant is None else f", and the forward is {meant}"
    return f"the slope is that of {taken}{forward}"


def _owner(x: Tensor, slope: Tensor) -> str | None:
    at = x.detach().double().requires_grad_()
    for name, function in KNOWN.items():
        with torch.enable_grad():
            (its,) = torch.autograd.grad(function(at).sum(), at)
        if same(its, slope.double()):
            return name
    return None


def _told_in_numbers(wrong: Mismatch, got: Tensor, true: Tensor) -> str:
    gap = torch.where(wrong.wrong, (got - true).abs(), -1.0).reshape(-1)
    told = []
    for flat in gap.argsort(descending=True)[:SHOWN].tolist():
        if gap[flat] >= 0:
            mine, its = told_apart(float(got.reshape(-1)[flat]), float(true.reshape(-1)[flat]))
            told.append(f"{mine} where it should be {its}{_at(wrong, flat)}")
    return f"the slope is {', and '.join(told)}; {_where(wrong, got, true)}"


def _at(wrong: Mismatch, flat: int) -> str:
    """What the arguments are at an entry."""
    alike = [(n, v) for n, v in wrong.values.items() if v.shape == wrong.got.shape]
    told = [
        f"{name} = {v.reshape(-1)[flat].item():.4g}"
        for name, v in alike[:MOST_NAMES]
        if "output" not in name
    ]
    return f" at {', '.join(told)}" if told else ""


def _where(wrong: Mismatch, got: Tensor, true: Tensor) -> str:
    mine, its = got[wrong.wrong], true[wrong.wrong]
    right = wrong.wrong.numel() - len(mine)
    told = f"right in {right} of {wrong.wrong.numel()} entries" if right else "right nowhere"
    turned = int((mine * its < 0).sum())
    if turned:
        return f"{told}, of the wrong sign in {turned}"
    for how, which in (
        ("too large", mine.abs() > its.abs()),
        ("too small", mine.abs() < its.abs()),
    ):
        if bool(which.all()):
            return f"{told}, {how} {'wherever it is wrong' if right else 'everywhere'}"
    return told
