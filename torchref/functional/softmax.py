"""The softmax and its relatives under torch's signatures, and `sparsemax`, which torch has not."""

import warnings

import torch
from torch import Tensor

from torchref.functional.admission import (
    autocast_off,
    require,
    require_dims,
    require_real_tensors,
    require_tensor,
    to_float32_under_cuda_autocast,
)
from torchref.ops import LogSoftmax, LogSumExp, Op, Softmax, Sparsemax


def softmax(
    input: Tensor,
    dim: int | None = None,
    _stacklevel: int = 3,
    dtype: torch.dtype | None = None,
) -> Tensor:
    """exp(x) / Σ exp(x) along dim, as `torch.nn.functional.softmax`; see `torchref.ops.Softmax`.

    Shapes: any. input is converted to dtype first, if that is given. Without dim it is the first
    dimension of one or three, and the second of others, of which torch warns.

    >>> softmax(torch.tensor([0.0, 1e4, 1e4]), dim=0)
    tensor([0.0000, 0.5000, 0.5000])
    """
    return along("softmax", Softmax, input, dim, _stacklevel, dtype)


def log_softmax(
    input: Tensor,
    dim: int | None = None,
    _stacklevel: int = 3,
    dtype: torch.dtype | None = None,
) -> Tensor:
    """x − ln Σ exp(x) along dim, as `torch.nn.functional.log_softmax`; see `ops.LogSoftmax`.

    Shapes, dtype and dim as in `softmax`.

    >>> log_softmax(torch.tensor([0.0, 0.0, -1e4]), dim=0)
    tensor([-6.9315e-01, -6.9315e-01, -1.0001e+04])
    """
    return along("log_softmax", LogSoftmax, input, dim, _stacklevel, dtype)


def sparsemax(input: Tensor, dim: int = -1) -> Tensor:
    """The nearest point to x whose entries are not negative and sum to one; see `ops.Sparsemax`.

    Shapes: any; the sums are along dim.

    >>> sparsemax(torch.tensor([0.0, 1.0, 1.5]))
    tensor([0.0000, 0.2500, 0.7500])
    """
    return along("sparsemax", Sparsemax, input, dim, 3, None)


def logsumexp(
    input: Tensor, dim: int | tuple[int, ...], keepdim: bool = False, *, out: None = None
) -> Tensor:
    """ln Σ exp(x) along dim, as `torch.logsumexp`; see `torchref.ops.LogSumExp`.

    Shapes: any; dim is one dimension or several, which are left out, or with `keepdim` kept as 1.
    Integers are converted to the default dtype. `out` keeps its place in the signature and must be
    None. Where the largest x is infinite the gradient is what it tends to, and torch's NaN.

    >>> logsumexp(torch.tensor([0.0, 1e4, 1e4]), dim=0)
    tensor(10000.6934)
    """
    name = "logsumexp"
    require_tensor(name, "input", input)
    if not (input.is_floating_point() or input.is_complex()):
        input = input.to(torch.get_default_dtype())
    require_real_tensors(name, input=input)
    require(
        out is None,
        f"{name}: out must be None",
        "a tensor arrived",
        "Handwritten ops make their output: use the value that is returned.",
    )
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    require_dims(name, input, *dims)
    chosen = to_float32_under_cuda_autocast(input)
    with autocast_off(chosen):
        y = LogSumExp.call(chosen, dims)
    return y if keepdim or not input.dim() else y.squeeze(dims)


def along(
    name: str,
    op: type[Op],
    input: Tensor,
    dim: int | None,
    stacklevel: int,
    dtype: torch.dtype | None,
) -> Tensor:
    require_tensor(name, "input", input)
    if dtype is not None:
        require(
            dtype.is_floating_point,
            f"{name}: dtype must be a real floating-point one",
            f"it is {dtype}",
            "Leave it out to keep that of input.",
        )
        input = input.to(dtype)
    require_real_tensors(name, input=input)
    if dim is None:
        warnings.warn(
            f"Implicit dimension choice for {name} has been deprecated. "
            "Change the call to include dim=X as an argument.",
            stacklevel=stacklevel,
        )
        dim = 0 if input.dim() in (0, 1, 3) else 1
    require_dims(name, input, dim)
    chosen = to_float32_under_cuda_autocast(input) if dtype is None else input
    with autocast_off(chosen):
        return op.call(chosen, dim)
