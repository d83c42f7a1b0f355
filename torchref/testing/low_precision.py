"""How much an op and its twin err in a dtype of few digits."""

from typing import NamedTuple

import torch
from torch import Tensor

from torchref.catalogue.op_case import Inputs, OpCase
from torchref.testing.checked_op import CheckedOp, results


class Roundings(NamedTuple):
    """The largest error of values and gradients, in roundings of the largest of their entries."""

    op: float
    twin: float


def low_precision_error(case: OpCase, dtype: torch.dtype, *, seed: int = 0) -> Roundings | None:
    """The errors of an op and of its twin in a dtype, at the samples of its case.

    Both are given the samples rounded to the dtype, and a random cotangent. What is true is the
    value and gradient of the twin in float64 at the very same numbers; one rounding is half the
    dtype's eps. Infinite for an op that is not finite where the truth is, and None for a dtype that
    torch does not compute in: it factorises no matrix in bfloat16.

    >>> from torchref.catalogue import CATALOGUE
    >>> error = low_precision_error(CATALOGUE["Tanh"], torch.bfloat16)
    >>> 0 < error.op < 4 and 0 < error.twin < 4
    True
    >>> low_precision_error(CATALOGUE["Cholesky"], torch.bfloat16)
    """
    checked = CheckedOp(case, seed)
    errors = [Roundings(0.0, 0.0)]
    for drawn in checked.samples:
        low = _cast(drawn, dtype)
        truth = results(case.twin, _cast(low, torch.float64), seed)
        try:
            twin = results(case.twin, low, seed)
        except RuntimeError:
            return None
        # A gradient that cancels to nothing has the roundings of what it is the difference of.
        rounding = torch.finfo(dtype).eps / 2 * max(map(largest, truth), default=0.0)
        for true, mine, twins in zip(truth, results(checked.call, low, seed), twin, strict=True):
            found = (largest_error(got, true) for got in (mine, twins))
            errors.append(Roundings(*(error and error / rounding for error in found)))
    return Roundings(*(max(each) for each in zip(*errors, strict=True)))


def largest_error(got: Tensor, true: Tensor) -> float:
    """max |got − true| over the entries where true is finite; infinite where got is not there."""
    if got.shape != true.shape:
        return float("inf")
    finite = true.isfinite()
    return largest((got.double() - true.double())[finite], float("inf"))


def largest(x: Tensor, of_nan: float = 0.0) -> float:
    """max |x|, 0 of nothing."""
    if x.numel() == 0:
        return 0.0
    return float(x.abs().double().nan_to_num(of_nan, float("inf")).max())


def _cast(inputs: Inputs, dtype: torch.dtype) -> Inputs:
    return tuple(
        x.to(dtype) if isinstance(x, Tensor) and x.is_floating_point() else x for x in inputs
    )
