"""Two gradients of the same entry: exact, close or different, by how much, and where."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from torchref.checker.execution.arithmetic import held_in_double, precision, typical_size

Closeness = Literal["exact", "close", "different"]

# A sum of n numbers errs by about √n roundings. Of 16 bits there are few: kernels add such
# numbers up in single precision.
ROUNDINGS, ROUNDINGS_OF_16_BITS = 64, 4
NOISE = 8  # roundings of the other gradients, below which a gradient that is 0 may lie
UNRELATED = 0.9  # noise does not point where other noise points

ALIKE = 1e-6  # relative: of errors no further apart the absolutely largest is told


@dataclass(frozen=True)
class Distance:
    """How far a gradient lies from the true one.

    `absolute` is the largest difference, `relative` the largest in units of the entry or of the
    typical entry, whichever is larger, and `element` where that is, up to rounding; `wrong` marks
    the entries beyond the tolerance.
    """

    verdict: Closeness
    absolute: float
    relative: float
    element: tuple[int, ...] | None
    wrong: Tensor


def distance(got: Tensor, true: Tensor, tolerance: float, floor: float = 0.0) -> Distance:
    """Compare two tensors of the same shape and dtype; NaN and infinity equal themselves.

    `tolerance` is relative to the entry or to the typical entry, whichever is larger; where both
    sides lie below `floor` and have nothing in common, both are rounding and count as 0.
    """
    equal = (got == true) | (torch.isnan(got) & torch.isnan(true))
    if bool(equal.all()):
        return Distance("exact", 0.0, 0.0, None, ~equal)
    gap = torch.where(equal, 0.0, (got - true).abs())
    gap = torch.where(torch.isnan(gap), torch.inf, gap)
    unit = torch.nan_to_num(true.abs(), 0, 0, 0).clamp_min(typical_size(true))
    relative = torch.where(equal, 0.0, gap / unit)
    wrong = relative > tolerance
    if _both_noise(got, true, floor):
        wrong = torch.zeros_like(wrong)
    alike = relative >= (1 - ALIKE) * relative.max()  # which is the largest is up to rounding
    place = torch.unravel_index(gap.where(alike, -1.0).argmax(), relative.shape)
    return Distance(
        "different" if bool(wrong.any()) else "close",
        float(gap.max()),
        float(relative.max()),
        tuple(int(i) for i in place),
        wrong,
    )


def rounding(x: Tensor) -> float:
    """The relative error that right arithmetic may leave in a tensor."""
    return _rounding_of(torch.float32 if held_in_double(x) else x.dtype)


def noise_floor(beside: Iterable[tuple[Tensor, Tensor]]) -> float:
    """What rounding makes of a gradient that is 0, seen from the pairs of gradients beside it."""
    return max((NOISE * precision(pair) * typical_size(pair[1]) for pair in beside), default=0.0)


def _rounding_of(dtype: torch.dtype) -> float:
    information = torch.finfo(dtype)
    return (ROUNDINGS if information.bits > 16 else ROUNDINGS_OF_16_BITS) * information.eps


def _both_noise(got: Tensor, true: Tensor, floor: float) -> bool:
    if not bool((got.abs() <= floor).all()) or not bool((true.abs() <= floor).all()):
        return False
    size = typical_size(got) * typical_size(true) * got.numel()
    if got.numel() == 1 or size == 0 or not math.isfinite(size):
        return True
    return abs(float((got * true.conj()).real.sum())) < UNRELATED * size
