"""A local derivative missing or doubled: the ratio of the entries is a function of a value."""

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from torchref.checker.causes.factor import proportion
from torchref.checker.causes.mismatch import Mismatch
from torchref.checker.execution.arithmetic import SAME

FEW = 3  # entries that a factor leaves: fewer are in proportion by chance


def _sigmoid_slope(v: Tensor) -> Tensor:
    return torch.sigmoid(v) * (1 - torch.sigmoid(v))


DERIVATIVES: dict[str, Callable[[Tensor], Tensor]] = {
    "{v} itself": lambda v: v,
    "σ′({v}) = σ(1 − σ)": _sigmoid_slope,
    "{v} (1 − {v}), the slope of a sigmoid in its output": lambda v: v * (1 - v),
    "tanh′({v})": lambda v: 1 - torch.tanh(v) ** 2,
    "1 − {v}², the slope of a tanh in its output": lambda v: 1 - v**2,
    "{v}²": torch.square,
    "exp({v})": torch.exp,
    "cos({v})": torch.cos,
    "sin({v})": torch.sin,
    "σ({v})": torch.sigmoid,
    "tanh({v})": torch.tanh,
    "{v} σ′({v})": lambda v: v * _sigmoid_slope(v),
    "exp(−{v}²/2)": lambda v: torch.exp(-(v**2) / 2),
    "{v} exp(−{v}²/2)": lambda v: v * torch.exp(-(v**2) / 2),
    "1 + {v}²": lambda v: 1 + v**2,
    "√(1 + {v}²)": lambda v: torch.sqrt(1 + v**2),
    "|{v}|": torch.abs,
}


def function_of_a_value(wrong: Mismatch) -> Iterator[str]:
    """got/true = k/φ(v): φ is missing; = k φ(v): it is there once too often."""
    if not wrong.values or wrong.true.is_complex():
        return
    usable = (wrong.true != 0) & torch.isfinite(wrong.true) & torch.isfinite(wrong.got)
    usable &= wrong.got != 0
    if int(usable.sum()) < FEW:
        return
    ratio = wrong.got[usable] / wrong.true[usable]
    found = []
    for name, value in wrong.values.items():
        spread = spread_over(value, wrong.true)
        if spread is None:
            continue
        for formula, derivative in DERIVATIVES.items():
            factor = derivative(spread[usable].double()).to(ratio.dtype)
            if not bool(torch.isfinite(factor).all()) or bool((factor == 0).any()):
                continue
            if _constant(factor, SAME) is not None:
                continue
            called = formula.format(v=name)
            if (k := _constant(ratio * factor, wrong.rounding)) is not None:
                found.append((abs(k - 1), f"missing: {called}{_times(k)}"))
            if (k := _constant(ratio / factor, wrong.rounding)) is not None:
                found.append((abs(k - 1), f"once too often: {called}{_times(k)}"))
    for _, evidence in sorted(found)[:1]:
        yield evidence


def lost_mask(wrong: Mismatch) -> Iterator[str]:
    """A factor that is 0 in places: the true gradient is what was got, times it; or the reverse."""
    for name, value in {**wrong.masks, **wrong.values}.items():
        gate = _over_rows(value, wrong.true)
        if gate is None or bool(gate.all()) or not bool(gate.any()):
            continue
        for what, got, true in (
            ("missing", wrong.got * gate, wrong.true),
            ("once too often", wrong.got, wrong.true * gate),
        ):
            kept = min(int(got.count_nonzero()), int(true.count_nonzero()))
            k = proportion(got, true, wrong.rounding) if kept >= FEW else None
            if k is not None:
                yield f"{what}: {name}, which is 0 in places{_times(k)}"
                return


def _over_rows(value: Tensor, like: Tensor) -> Tensor | None:
    """Spread over the last dimensions, as broadcasting does, or over the first, as of row masks."""
    spread = spread_over(value, like)
    if spread is None and value.shape == like.shape[: value.dim()]:
        return value.reshape(value.shape + (1,) * (like.dim() - value.dim())).expand(like.shape)
    return spread


def spread_over(value: Tensor, like: Tensor) -> Tensor | None:
    """A value in the shape of another, by broadcasting, if it can be."""
    if value.dim() > like.dim() or value.is_complex():
        return None
    try:
        return value.expand(like.shape)
    except RuntimeError:
        return None


def _constant(x: Tensor, rounding: float) -> float | None:
    """The value that all entries share, if they do."""
    middle = float(x.mean())
    if (
        not middle
        or not math.isfinite(middle)
        or float((x - middle).abs().max()) > rounding * abs(middle)
    ):
        return None
    return middle


def _times(k: float) -> str:
    return "" if abs(k - 1) < SAME else f" (and a factor {k:.6g})"
