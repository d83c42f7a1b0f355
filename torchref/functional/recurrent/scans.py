"""Running sums under torch's signature, and linear recurrences, for which torch has none."""

import torch
from torch import Tensor

from torchref.functional.admission import (
    autocast_off,
    require,
    require_no_out,
    require_real_tensors,
    require_same_kind,
    require_tensor,
    shape,
    to_float32_under_cuda_autocast,
)
from torchref.ops import CumulativeSum, LinearRecurrence
from torchref.ops.op import widened


def cumsum(
    input: Tensor, dim: int, *, dtype: torch.dtype | None = None, out: None = None
) -> Tensor:
    """y_t = x_1 + … + x_t along dim, as `torch.cumsum`; see `torchref.ops.CumulativeSum`.

    With `dtype` input is converted first: numbers of other kinds become floating-point so. Under
    CUDA autocast lower dtypes become float32.

    >>> cumsum(torch.tensor([1.0, 2.0, 4.0]), 0)
    tensor([1., 3., 7.])
    """
    require_no_out("cumsum", out)
    require_tensor("cumsum", "input", input)
    x = to_float32_under_cuda_autocast(input) if dtype is None else input.to(dtype)
    require_real_tensors("cumsum", input=x)
    require_dimension("cumsum", x, dim)
    with autocast_off(x):
        return CumulativeSum.call(x, dim)


def linear_recurrence(
    input: Tensor,
    weight: Tensor,
    state: Tensor | None = None,
    dim: int = -1,
    parallel: bool = False,
) -> Tensor:
    """y_t = a_t y_{t−1} + x_t along dim, for weights a; see `torchref.ops.LinearRecurrence`.

    Shapes: input any; weight broadcastable to it; state, y_0, as input without dim, or None for 0.
    `parallel` takes about log₂ T passes over all of input in the place of T steps, as a GPU likes.
    Lower dtypes are computed in float32 and rounded once.

    >>> linear_recurrence(torch.tensor([1.0, 0.0, 4.0]), torch.tensor(0.5))
    tensor([1.0000, 0.5000, 4.2500])
    """
    name = "linear_recurrence"
    require_real_tensors(name, input=input, weight=weight)
    require_dimension(name, input, dim)
    require_same_kind(name, input=input, weight=weight, state=state)
    sizes = zip(reversed(weight.shape), reversed(input.shape), strict=False)
    require(
        input.dim() >= max(1, weight.dim()) and all(its in (1, mine) for its, mine in sizes),
        f"{name}: input must have dimensions, and weight be broadcastable to it",
        f"weight has shape {shape(weight)} and input {shape(input)}",
        "A weight for each channel of (time, channels) is (channels).",
    )
    if state is not None:
        require_real_tensors(name, state=state)
        wanted = input.select(dim, 0).shape if input.shape[dim] else state.shape
        require(
            state.shape == wanted,
            f"{name}: state must have the shape of input without dim",
            f"it has shape {shape(state)}, input {shape(input)} and dim is {dim}",
            "Expand it: the sequences of a batch may begin alike.",
        )
        state = widened(state)
    x, weight = widened(input), widened(weight)
    with autocast_off(x):
        y = LinearRecurrence.call(x, weight.expand_as(x), state, dim, parallel)
    return y.to(input.dtype)


def require_dimension(op: str, input: Tensor, dim: int) -> None:
    most = max(input.dim(), 1)
    require(
        -most <= dim < most,
        f"{op}: dim must be a dimension of input",
        f"it is {dim} and input has shape {shape(input)}",
        "The last one is -1.",
    )
