"""spikingjelly: spikes with surrogate gradients, beside the primitives of these."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Shelf

surrogate = pytest.importorskip(
    "spikingjelly.activation_based.surrogate", reason="spikingjelly is not installed"
)
FUNCTIONS = Shelf("spikingjelly")
SPIKE = "the gradient of a spike is that of its primitive"


def step(x: Tensor) -> Tensor:
    return (x >= 0).to(x.dtype)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 7),),
    step,
    surrogate=lambda x: torch.sigmoid(4 * x),
    because=SPIKE,
)
def sigmoid(x: Tensor) -> Tensor:
    return surrogate.Sigmoid(alpha=4.0)(x)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(3, 2, 5),),
    step,
    surrogate=lambda x: surrogate.ATan.primitive_function(x, alpha=2.0),
    because=SPIKE,
)
def atan(x: Tensor) -> Tensor:
    return surrogate.ATan(alpha=2.0)(x)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(5, 6),),
    surrogate=lambda x: surrogate.PiecewiseQuadratic.primitive_function(x, alpha=1.0),
    because=SPIKE,
)
def piecewise_quadratic(x: Tensor) -> Tensor:
    return surrogate.PiecewiseQuadratic(alpha=1.0)(x)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(5, 3),),
    step,
    surrogate=lambda x: surrogate.SoftSign.primitive_function(x, alpha=2.0),
    because=SPIKE,
)
def soft_sign(x: Tensor) -> Tensor:
    return surrogate.SoftSign(alpha=2.0)(x)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 9),),
    surrogate=lambda x: surrogate.PiecewiseLeakyReLU.primitive_function(x, w=1.0, c=0.01),
    because=SPIKE,
)
def piecewise_leaky_relu(x: Tensor) -> Tensor:
    return surrogate.PiecewiseLeakyReLU(w=1.0, c=0.01)(x)
