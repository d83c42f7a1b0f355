"""Affine maps under torch's signatures."""

from torch import Tensor

from torchref.functional.admission import (
    autocast_off,
    given,
    require,
    require_real_tensors,
    require_same_kind,
    shape,
    to_autocast_dtype,
)
from torchref.ops import Affine, HomogeneousAffine


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
