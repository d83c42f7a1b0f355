"""Affine maps and products under torch's signatures."""

import torch
from torch import Tensor

from torchref.functional.admission import (
    autocast_off,
    autocasts,
    given,
    require,
    require_broadcastable,
    require_real_tensors,
    require_same_kind,
    shape,
    to_autocast_dtype,
)
from torchref.ops import Affine, Bilinear, HomogeneousAffine, MatMul


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y = x Wᵀ + b, as `torch.nn.functional.linear`; see `torchref.ops.Affine`.

    Shapes: input (..., i), weight (o, i) or (i), bias (o) or one value; y (..., o) or (...).
    Under autocast it runs in autocast's dtype, as torch's does.

    >>> linear(torch.ones(2, 3), torch.ones(1, 3), torch.zeros(1))
    tensor([[3.],
            [3.]])
    """
    require_real_tensors("linear", input=input, weight=weight, **given(bias=bias))
    require(
        weight.dim() in (1, 2) and input.dim() >= 1 and input.shape[-1] == weight.shape[-1],
        "linear: input (..., in) and weight (out, in) must agree in their last dimension",
        f"input has shape {shape(input)} and weight {shape(weight)}",
        "torch keeps weights as (out, in): pass weight.T if yours are (in, out).",
    )
    features = weight.shape[:-1]
    require(
        bias is None or bias.numel() == 1 or bias.shape == features,
        f"linear: bias must have shape {tuple(features)}, one entry an output",
        f"it has shape {shape(bias)}",
        "Its length is the first dimension of weight.",
    )
    input, weight, bias = to_autocast_dtype(input, weight, bias)
    require_same_kind("linear", input=input, weight=weight, bias=bias)
    if bias is not None:
        bias = bias.reshape(-1).expand(features or (1,))
    with autocast_off(input):
        if weight.dim() == 1:
            return Affine.call(input, weight.unsqueeze(0), bias).squeeze(-1)
        return Affine.call(input, weight, bias)


def homogeneous_linear(input: Tensor, weight: Tensor) -> Tensor:
    """y = [x; 1] Wᵀ, the bias being the last column of W; see `torchref.ops.HomogeneousAffine`.

    Shapes: input (..., i), weight (o, i + 1); y (..., o).

    >>> homogeneous_linear(torch.ones(2, 3), torch.tensor([[1.0, 1.0, 1.0, 0.5]]))
    tensor([[3.5000],
            [3.5000]])
    """
    require_real_tensors("homogeneous_linear", input=input, weight=weight)
    require(
        weight.dim() == 2 and input.dim() >= 1 and input.shape[-1] + 1 == weight.shape[-1],
        "homogeneous_linear: input (..., in) needs a weight (out, in + 1)",
        f"input has shape {shape(input)} and weight {shape(weight)}",
        "The last column of weight is the bias: append it with torch.column_stack((W, b)).",
    )
    input, weight = to_autocast_dtype(input, weight)
    require_same_kind("homogeneous_linear", input=input, weight=weight)
    with autocast_off(input):
        return HomogeneousAffine.call(input, weight)


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product, as `torch.matmul`; see `torchref.ops.MatMul`.

    Shapes: input (..., n, k) or (k), other (..., k, m) or (k), whose batches broadcast; y
    (..., n, m) without the n or m of a vector. Under autocast it runs in autocast's dtype.

    >>> matmul(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1.0, 10.0]))
    tensor([21., 43.])
    """
    require_real_tensors("matmul", input=input, other=other)
    require(
        input.dim() >= 1
        and other.dim() >= 1
        and input.shape[-1] == other.shape[-2 if other.dim() > 1 else -1],
        "matmul: input (..., n, k) or (k) and other (..., k, m) or (k) must agree in k",
        f"input has shape {shape(input)} and other {shape(other)}",
        "Turn the last two dimensions of a batch of matrices by other.mT.",
    )
    require_broadcastable("matmul", input=input.shape[:-2], other=other.shape[:-2])
    input, other = to_autocast_dtype(input, other)
    require_same_kind("matmul", input=input, other=other)
    with autocast_off(input):
        return MatMul.call(input, other)


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y_o = x₁ W_o x₂ᵀ + b_o, as `torch.nn.functional.bilinear`; see `torchref.ops.Bilinear`.

    Shapes: input1 (..., i), input2 (..., j), weight (o, i, j), bias (o); y (..., o). It computes in
    float32 for lower dtypes; under CUDA autocast the widest dtype that arrives is that of all.

    >>> bilinear(torch.ones(1, 2), torch.ones(1, 3), torch.ones(1, 2, 3))
    tensor([[6.]])
    """
    name = "bilinear"
    require_real_tensors(name, input1=input1, input2=input2, weight=weight, **given(bias=bias))
    require(
        min(input1.dim(), input2.dim()) >= 1
        and input1.shape[:-1] == input2.shape[:-1]
        and weight.shape[1:] == (input1.shape[-1], input2.shape[-1]),
        f"{name}: input1 (..., i) and input2 (..., j) need a weight (o, i, j)",
        f"they have shapes {shape(input1)} and {shape(input2)}, and weight {shape(weight)}",
        "What stands before the features must be the same in both: expand the smaller one.",
    )
    require(
        bias is None or bias.shape == weight.shape[:1],
        f"{name}: bias must have shape {tuple(weight.shape[:1])}, one entry an output",
        f"it has shape {shape(bias)}",
        "Its length is the first dimension of weight.",
    )
    kind = input1.dtype
    if input1.is_cuda and autocasts(input1):
        for x in given(input2=input2, weight=weight, bias=bias).values():
            kind = torch.promote_types(kind, x.dtype)
        input1, input2, weight = (x.to(kind) for x in (input1, input2, weight))
        bias = None if bias is None else bias.to(kind)
    require_same_kind(name, input1=input1, input2=input2, weight=weight, bias=bias)
    with autocast_off(input1):
        return Bilinear.call(input1, input2, weight, bias)
