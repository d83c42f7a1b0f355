"""A gradient of another shape than the true one: what was not summed, or turned, or kept."""

from collections.abc import Iterator
from itertools import combinations, permutations

from torch import Size, Tensor

from torchref.checker.causes.mismatch import Hypothesis
from torchref.checker.execution.arithmetic import SAME, same

MOST_DIMENSIONS = 5  # of which every order is tried


def shape_suspicions(got: Tensor, true: Tensor, rounding: float = SAME) -> list[Hypothesis]:
    """All causes that fit, likelier first; never none. Both are of the same dtype."""
    found = [
        Hypothesis(cause, evidence)
        for rule in (_kept, _turned, _not_summed, _summed_too_often)
        for cause, evidence in rule(got, true, rounding)
    ]
    return found or [
        Hypothesis("wrong-shape", f"{tuple(got.shape)} in place of {tuple(true.shape)}")
    ]


def _kept(got: Tensor, true: Tensor, rounding: float) -> Iterator[tuple[str, str]]:
    if got.numel() != true.numel() or _without_ones(got.shape) != _without_ones(true.shape):
        return
    alike = not got.numel() or same(got.reshape(true.shape), true, rounding)
    told = "the numbers are right" if alike else "the numbers differ too"
    yield "wrong-shape", f"a dimension of size 1 is kept or lost; {told}"


def _turned(got: Tensor, true: Tensor, rounding: float) -> Iterator[tuple[str, str]]:
    if sorted(got.shape) != sorted(true.shape) or not 2 <= true.dim() <= MOST_DIMENSIONS:
        return
    if _without_ones(got.shape) == _without_ones(true.shape):
        return
    for order in permutations(range(true.dim())):
        turned = true.permute(order)
        if turned.shape == got.shape and same(got, turned, rounding):
            yield "transposed", f"it equals the true gradient permuted by {order}"
            return
    if same(got.reshape(true.shape), true, rounding):
        yield "wrong-shape", "the numbers are right, in the order of memory: reshaped, not turned"
    elif got.shape == true.shape[::-1]:
        yield "transposed", "the shape is that of its transpose; the numbers differ too"


def _not_summed(got: Tensor, true: Tensor, rounding: float) -> Iterator[tuple[str, str]]:
    """Which dimensions, once summed, leave the true shape, and the true numbers at best?"""
    left: list[str] = []
    for dims in _reducible(got.shape, true.shape):
        summed = got.sum(dims).reshape(true.shape)
        told = _dimensions(got.shape, dims)
        if same(summed, true, rounding):
            yield "missing-reduction", f"summed over {told} it is right"
            return
        if same(got.mean(dims).reshape(true.shape), true, rounding):
            yield "missing-reduction", f"averaged over {told} it is right"
            return
        left.append(told)
    if left:
        yield "missing-reduction", f"not summed over {left[0]}; once summed, the numbers differ too"


def _summed_too_often(got: Tensor, true: Tensor, rounding: float) -> Iterator[tuple[str, str]]:
    for dims in _reducible(true.shape, got.shape):
        if same(true.sum(dims).reshape(got.shape), got, rounding):
            told = _dimensions(true.shape, dims)
            yield "wrong-shape", f"it is the true gradient summed over {told}: once too often"
            return


def _reducible(larger: Size, smaller: Size) -> Iterator[tuple[int, ...]]:
    """The dimensions whose sum leaves a shape, up to dimensions of size 1; leading ones first."""
    if len(larger) > MOST_DIMENSIONS or larger.numel() <= smaller.numel():
        return
    for count in range(1, len(larger) + 1):
        for dims in combinations(range(len(larger)), count):
            rest = [size for dim, size in enumerate(larger) if dim not in dims]
            if _without_ones(rest) == _without_ones(smaller):
                yield dims


def _without_ones(shape: Size | list[int]) -> list[int]:
    return [size for size in shape if size != 1]


def _dimensions(shape: Size, dims: tuple[int, ...]) -> str:
    return " and ".join(f"dimension {dim} (of size {shape[dim]})" for dim in dims)
