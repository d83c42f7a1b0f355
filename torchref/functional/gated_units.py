"""Gated units: `glu` as torch's, and `swiglu` and `geglu`, which torch has not, alike.

The first half of the input is the value and the second its gate, as in `torch.nn.functional.glu`.
Where a projection lays them the other way round, as models with `silu(gate) * up` often do, pass
`torch.cat((up, gate), dim)`.
"""

from torch import Tensor

from torchref.functional.admission import (
    autocast_off,
    require,
    require_real_tensors,
    shape,
)
from torchref.ops import GEGLU, GLU, Op, SwiGLU


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """y = a σ(b) for input = [a, b], as `torch.nn.functional.glu`; see `torchref.ops.GLU`.

    Shapes: the size of input along dim is even, and that of y is half of it.

    >>> glu(torch.tensor([1.0, 2.0, 0.0, 1e4]))
    tensor([0.5000, 2.0000])
    """
    return gated("glu", GLU, input, dim)


def swiglu(input: Tensor, dim: int = -1) -> Tensor:
    """y = a silu(b) for input = [a, b]; see `torchref.ops.SwiGLU`.

    Shapes: the size of input along dim is even, and that of y is half of it.

    >>> swiglu(torch.tensor([1.0, 2.0, 0.0, 10.0]))
    tensor([ 0.0000, 19.9991])
    """
    return gated("swiglu", SwiGLU, input, dim)


def geglu(input: Tensor, dim: int = -1) -> Tensor:
    """y = a gelu(b) for input = [a, b], with the exact gelu; see `torchref.ops.GEGLU`.

    Shapes: the size of input along dim is even, and that of y is half of it.

    >>> geglu(torch.tensor([1.0, 2.0, 0.0, 10.0]))
    tensor([ 0., 20.])
    """
    return gated("geglu", GEGLU, input, dim)


def gated(name: str, op: type[Op], input: Tensor, dim: int) -> Tensor:
    require_real_tensors(name, input=input)
    require(
        -input.dim() <= dim < input.dim(),
        f"{name}: dim must be a dimension of input",
        f"it is {dim} and input has shape {shape(input)}",
        "The last one is -1; a tensor without dimensions has no halves.",
    )
    require(
        input.shape[dim] % 2 == 0,
        f"{name}: the size of input along dim must be even: a value and a gate",
        f"it is {input.shape[dim]} in the shape {shape(input)} for dim={dim}",
        "The projection before it has twice the features that come out.",
    )
    with autocast_off(input):
        return op.call(input, dim)
