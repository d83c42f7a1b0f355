"""The two gradients of each name, brought to one dtype and held beside each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from torchref.checker.comparison.distance import (
    Closeness,
    Distance,
    distance,
    noise_floor,
    rounding,
)
from torchref.checker.comparison.given import Gradient
from torchref.checker.execution.arithmetic import held_in_double
from torchref.checker.execution.numbers import dtype_name

FEW_DIGITS = 1e-5  # no mistake is that small and differences of a loss err by as much


@dataclass(frozen=True)
class Measured:
    """One name: both gradients in double precision, and the distance if their shapes agree.

    `absent` says which side had None, where zeros stand now; `lost_imaginary` that the manual
    gradient is real and the true one complex; `rounding` what right arithmetic may differ by.
    """

    name: str
    got: Tensor
    true: Tensor
    distance: Distance | None
    rounding: float
    absent: Literal["", "manual", "reference", "both"] = ""
    lost_imaginary: bool = False
    note: str = ""

    @property
    def verdict(self) -> Closeness:
        return "different" if self.distance is None else self.distance.verdict


def measure(
    pairs: Mapping[str, tuple[Gradient, Gradient]], tolerance: float | None = None
) -> list[Measured]:
    """`tolerance` is relative; the rounding of the coarser dtype if None."""
    both = [(got, true) for got, true in pairs.values() if got is not None and true is not None]
    floor = noise_floor(both)
    return [_measured(name, got, true, tolerance, floor) for name, (got, true) in pairs.items()]


def in_double(x: Tensor) -> Tensor:
    """An exact upcast."""
    return x.to(torch.complex128 if x.is_complex() else torch.float64)


def _measured(
    name: str, got: Gradient, true: Gradient, tolerance: float | None, floor: float
) -> Measured:
    if got is None or true is None:
        return _with_none(name, got, true)
    allowed = max(rounding(got), rounding(true)) if tolerance is None else tolerance
    note = _precisions(got, true)
    a, b = in_double(got), in_double(true)
    if a.is_complex() != b.is_complex():
        a, b = a.to(torch.complex128), b.to(torch.complex128)
    lost = true.is_complex() and not got.is_complex()
    if a.shape != b.shape:
        return Measured(name, a, b, None, allowed, lost_imaginary=lost, note=_shapes(a, b))
    apart = distance(a, b, allowed, floor)
    if apart.verdict == "close" and apart.relative > allowed:
        note = "both sides are rounding beside the other gradients"
    unfit = int((~torch.isfinite(a) & ~torch.isfinite(b)).sum())
    if unfit:
        note = f"{unfit} of {a.numel()} entries NaN or infinite on both sides"
    if tolerance is None and apart.verdict == "different" and apart.relative < FEW_DIGITS:
        note = "right in its first digits; is the reference of finite differences? Set tolerance="
    return Measured(name, a, b, apart, allowed, lost_imaginary=lost, note=note)


def _with_none(name: str, got: Gradient, true: Gradient) -> Measured:
    """None stands for zeros."""
    there = got if true is None else true
    if there is None:
        empty = torch.zeros(0, dtype=torch.float64, device="cpu")
        nothing = distance(empty, empty, 0.0)
        return Measured(name, empty, empty, nothing, 0.0, "both", note="None on both sides")
    value = in_double(there)
    zeros = torch.zeros_like(value)
    a, b = (zeros, value) if got is None else (value, zeros)
    side: Literal["manual", "reference"] = "manual" if got is None else "reference"
    apart = distance(a, b, 0.0)
    note = f"the {side} side has None, which stands for 0"
    return Measured(name, a, b, apart, rounding(there), side, note=note)


def _precisions(got: Tensor, true: Tensor) -> str:
    """Which precisions stand beside each other, where they differ."""
    names = []
    for x in (got, true):
        name = dtype_name(x.dtype)
        names.append(f"{name} that holds single precision" if held_in_double(x) else name)
    return "" if names[0] == names[1] else f"{names[0]} beside {names[1]}"


def _shapes(got: Tensor, true: Tensor) -> str:
    return f"shape {tuple(got.shape)} where the reference has {tuple(true.shape)}"
