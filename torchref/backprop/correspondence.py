"""Which op computes which layer: one declared line for each, and nothing else knows.

A layer of another library, or a later one of this, joins with `correspond`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from torchref import nn, ops
from torchref.ops import Op


class Rearrangement:
    """What `Flatten`, `Unflatten` and `Identity` do. They compute nothing, so there is no op.

    y has the entries of x in another shape: y_k = x_k, so ∂L/∂x is ∂L/∂y in the shape of x.
    """

    @staticmethod
    def forward(x: Tensor, shape: tuple[int, ...]) -> Tensor:
        return x.reshape(shape)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], _: Tensor) -> None:
        x, _ = inputs
        ctx.shape = x.shape

    @staticmethod
    def backward(ctx: Any, grad_y: Tensor) -> tuple[Tensor, None]:
        return grad_y.reshape(ctx.shape), None  # shape


# What an op receives after x: the name of an attribute of the layer, or a function of layer and x.
Operand = str | Callable[[Any, Tensor], Any]


@dataclass(frozen=True)
class Correspondence:
    """A layer computes op(x, *operands)."""

    op: type[Op] | type[Rearrangement]
    operands: tuple[Operand, ...] = ()


def rearranged(layer: nn.Module, x: Tensor) -> tuple[int, ...]:
    """The shape that a layer without an op gives to x."""
    return tuple(layer.forward(x).shape)


LAYERS: dict[type[nn.Module], Correspondence] = {
    nn.Linear: Correspondence(ops.Affine, ("weight", "bias")),
    nn.HomogeneousLinear: Correspondence(ops.HomogeneousAffine, ("weight",)),
    nn.Sigmoid: Correspondence(ops.Sigmoid),
    nn.Tanh: Correspondence(ops.Tanh),
    nn.Softplus: Correspondence(ops.Softplus, ("beta", "threshold")),
    nn.LogSigmoid: Correspondence(ops.LogSigmoid),
    nn.SiLU: Correspondence(ops.SiLU),
    nn.Mish: Correspondence(ops.Mish),
    nn.ReLU: Correspondence(ops.ReLU),
    nn.LeakyReLU: Correspondence(ops.LeakyReLU, ("negative_slope",)),
    nn.ELU: Correspondence(ops.ELU, ("alpha",)),
    nn.SELU: Correspondence(ops.SELU),
    nn.Hardsigmoid: Correspondence(ops.Hardsigmoid),
    nn.Hardswish: Correspondence(ops.Hardswish),
    nn.Flatten: Correspondence(Rearrangement, (rearranged,)),
    nn.Unflatten: Correspondence(Rearrangement, (rearranged,)),
    nn.Identity: Correspondence(Rearrangement, (rearranged,)),
}

# A loss computes op(x, target, *operands) entry by entry, and then a `Reduction`.
LOSSES: dict[type[nn.Module], Correspondence] = {
    nn.BCELoss: Correspondence(ops.LogLoss),
    nn.BCEWithLogitsLoss: Correspondence(ops.LogLossWithLogits, ("pos_weight",)),
    nn.CrossEntropyLoss: Correspondence(ops.SoftmaxCrossEntropy),
    nn.MSELoss: Correspondence(ops.SquaredError),
    nn.SquaredError: Correspondence(ops.SquaredError),
}


def correspond(layer: type[nn.Module], op: type[Op], *operands: Operand) -> None:
    """Declare that `layer` computes op(x, *operands), so that the sweep goes through it.

    >>> from torchref import nn, ops
    >>> class Squash(nn.Sigmoid): ...
    >>> correspond(Squash, ops.Sigmoid)
    """
    LAYERS[layer] = Correspondence(op, operands)
