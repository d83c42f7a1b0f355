"""Layer, RMS and group norm and vectors of unit length under torch's signatures."""

from collections.abc import Sequence

import torch
from torch import Tensor

from torchref.functional.admission import (
    autocast_off,
    autocasts,
    cast,
    given,
    require,
    require_no_out,
    require_real_tensors,
    shape,
)
from torchref.ops import RMSNorm, Standardisation, UnitNorm


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x − μ) / √(σ² + ε) · w + b, as `torch.nn.functional.layer_norm`; see `ops.Standardisation`.

    Shapes: input (..., *normalized_shape), over whose last dimensions the moments are; weight and
    bias as normalized_shape. It computes in float32 for lower dtypes, whose parameters may be
    float32 too; under CUDA autocast float32 is what it returns.

    >>> layer_norm(torch.tensor([[1.0, 2.0, 6.0]]), (3,))
    tensor([[-0.9258, -0.4629,  1.3887]])
    """
    name = "layer_norm"
    require_parameters(name, input, weight=weight, bias=bias)
    dims = last_dims(name, input, normalized_shape, weight=weight, bias=bias)
    require_eps(name, eps)
    with autocast_off(input):
        y = Standardisation.call(*cast(torch.float32, (input, weight, bias)), dims, eps)
    return y.to(float32_under_cuda_autocast(input))


def rms_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """x / √(mean x² + ε) · w, as `torch.nn.functional.rms_norm`; see `torchref.ops.RMSNorm`.

    Shapes and dtypes as in `layer_norm`. Without eps it is the epsilon of the dtype that is
    computed in, float32 or float64.

    >>> rms_norm(torch.tensor([[3.0, 4.0]]), (2,))
    tensor([[0.8485, 1.1314]])
    """
    name = "rms_norm"
    require_parameters(name, input, weight=weight)
    dims = last_dims(name, input, normalized_shape, weight=weight)
    x, wide_weight = cast(torch.float32, (input, weight))
    if eps is None:
        eps = torch.finfo(x.dtype).eps
    require_eps(name, eps)
    with autocast_off(input):
        y = RMSNorm.call(x, wide_weight, dims, eps)
    return y.to(float32_under_cuda_autocast(input))


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x − μ) / √(σ² + ε) · w + b, as `torch.nn.functional.group_norm`; see `ops.Standardisation`.

    Shapes: input (N, C, ...), whose channels are taken in `num_groups` groups of equal size; the
    moments are those of one example's group. weight and bias (C). Dtypes as in `layer_norm`.

    >>> group_norm(torch.tensor([[1.0, 3.0, 10.0, 30.0]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    name = "group_norm"
    require_channels(name, input, weight=weight, bias=bias)
    batch, channels, *rest = input.shape
    require(
        num_groups > 0 and channels % num_groups == 0,
        f"{name}: num_groups must be positive and divide the channels, the second dimension",
        f"{num_groups} arrived for an input of shape {shape(input)}",
        "1 takes all channels together, as many as there are channels takes each alone.",
    )
    size = channels // num_groups
    require_more_than_one(name, input, batch * size, *rest)
    require_eps(name, eps)
    x, *parameters = cast(torch.float32, (input, weight, bias))
    grouped = x.reshape(batch, num_groups, size, *rest)
    dims = tuple(range(2, grouped.dim()))
    shaped = (
        p if p is None else p.reshape(num_groups, size, *(1 for _ in rest)) for p in parameters
    )
    with autocast_off(input):
        y = Standardisation.call(grouped, *shaped, dims, eps)
    return y.reshape(input.shape).to(float32_under_cuda_autocast(input))


def normalize(
    input: Tensor,
    p: float = 2.0,
    dim: int | tuple[int, ...] = 1,
    eps: float = 1e-12,
    out: None = None,
) -> Tensor:
    """x / max(‖x‖, ε), as `torch.nn.functional.normalize`; see `torchref.ops.UnitNorm`.

    Shapes: input any, its vectors along `dim`; p > 0 or ∞. It computes in float32 for lower
    dtypes, so that in float16, too, vectors of zeros stay zeros. `out` keeps its place in the
    signature and must be None.

    >>> normalize(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
    tensor([[0.6000, 0.8000],
            [0.0000, 0.0000]])
    """
    name = "normalize"
    require_real_tensors(name, input=input)
    require_no_out(name, out)
    require(
        p > 0,
        f"{name}: p must be positive",
        f"{p} arrived",
        "2.0 is the length, 1.0 the sum of sizes, float('inf') the largest of them.",
    )
    require_eps(name, eps)
    dims = dim if isinstance(dim, tuple) else (dim,)
    most = max(input.dim(), 1)
    require(
        len(dims) > 0 and all(-most <= each < most for each in dims),
        f"{name}: dim must be among the dimensions of input",
        f"{dim} arrived for an input of shape {shape(input)}",
        "It is 1 by default: a single vector takes dim=0.",
    )
    (x,) = cast(torch.float32, (input,))
    with autocast_off(input):
        y = UnitNorm.call(x, p, dims, eps)
    return y.to(float32_under_cuda_autocast(input))


def float32_under_cuda_autocast(input: Tensor) -> torch.dtype:
    """As torch's: the dtype of input; on CUDA autocast makes it float32 (float64 stays)."""
    widens = input.is_cuda and autocasts(input) and input.dtype != torch.float64
    return torch.float32 if widens else input.dtype


def require_parameters(op: str, input: Tensor, **parameters: Tensor | None) -> None:
    """On one device and in one dtype, or in float32 beside an input of lower precision."""
    require_real_tensors(op, input=input, **given(**parameters))
    (widened,) = cast(torch.float32, (input,))
    for name, parameter in given(**parameters).items():
        require(
            parameter.device == input.device,
            f"{op}: input and {name} must have the same device",
            f"they have {input.device} and {parameter.device}",
            "Convert one of them with .to(input.device).",
        )
        require(
            parameter.dtype in (input.dtype, widened.dtype),
            f"{op}: {name} must have the dtype of input, or be float32 beside a lower one",
            f"they have {parameter.dtype} and {input.dtype}",
            f"Convert it: {name}.to(input.dtype).",
        )


def require_channels(op: str, input: Tensor, **parameters: Tensor | None) -> None:
    """Parameters of an entry for each channel of input."""
    require_parameters(op, input, **parameters)
    require(
        input.dim() >= 2,
        f"{op}: input must have channels second: (N, C) or (N, C, ...)",
        f"it has shape {shape(input)}",
        "A single example needs a batch dimension: input.unsqueeze(0).",
    )
    for name, parameter in given(**parameters).items():
        require(
            parameter.shape == (input.shape[1],),
            f"{op}: {name} must have one entry a channel",
            f"it has shape {shape(parameter)} for an input of shape {shape(input)}",
            "Channels are the second dimension of input.",
        )


def require_more_than_one(op: str, input: Tensor, *sizes: int) -> None:
    entries = 1
    for size in sizes:
        entries *= size
    require(
        entries != 1,
        f"{op}: mean and variance must be those of more than one value",
        f"there is one for each in an input of shape {shape(input)}",
        "The variance of one value is 0, and its normalised value 0 whatever it is.",
    )


def require_eps(op: str, eps: float) -> None:
    require(
        eps >= 0,
        f"{op}: eps must not be negative",
        f"{eps} arrived",
        "It keeps the divisor from 0: 1e-5 is usual beside a variance.",
    )


def last_dims(
    op: str, input: Tensor, normalized_shape: Sequence[int], **parameters: Tensor | None
) -> tuple[int, ...]:
    """The dimensions of input that `normalized_shape` names, counted from the end."""
    require(
        not isinstance(normalized_shape, int),
        f"{op}: normalized_shape must be a tuple of sizes",
        f"{normalized_shape!r} arrived",
        f"Write ({normalized_shape},).",
    )
    sizes = tuple(normalized_shape)
    require(
        len(sizes) > 0 and input.shape[-len(sizes) :] == sizes,
        f"{op}: normalized_shape must be the last dimensions of input, one or more",
        f"it is {sizes} and input has shape {shape(input)}",
        "Usual is input.shape[-1:].",
    )
    for name, parameter in given(**parameters).items():
        require(
            parameter.shape == sizes,
            f"{op}: {name} must have the shape normalized_shape, {sizes}",
            f"it has shape {shape(parameter)}",
            "There is one entry for each that is normalised together.",
        )
    return tuple(range(-len(sizes), 0))
