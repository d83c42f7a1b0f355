"""snntorch: spikes with surrogate gradients."""

import math

import pytest
import torch
from torch import Tensor

from tests.packages.published import Shelf

surrogate = pytest.importorskip("snntorch.surrogate", reason="snntorch is not installed")
FUNCTIONS = Shelf("snntorch")
SPIKE = "the gradient of a spike is that of its surrogate"


def step(u: Tensor) -> Tensor:
    return (u > 0).to(u.dtype)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 7),),
    step,
    surrogate=lambda u: u / (1 + 25 * u.abs()),
    because=SPIKE,
)
def fast_sigmoid(u: Tensor) -> Tensor:
    return surrogate.fast_sigmoid(slope=25)(u)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(3, 5, 4),),
    step,
    surrogate=lambda u: torch.atan(math.pi * u) / math.pi,
    because=SPIKE,
)
def atan(u: Tensor) -> Tensor:
    return surrogate.atan(alpha=2.0)(u)


@FUNCTIONS.holds(lambda draw: (draw.normal(5, 6),), surrogate=lambda u: -u.abs(), because=SPIKE)
def triangular(u: Tensor) -> Tensor:
    return surrogate.triangular(threshold=1)(u)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 5),),
    surrogate=lambda u: torch.where(u > 0.2, u / (1 + 10 * u.abs()) - 0.2 / 3, 0.0 * u),
    because=SPIKE,
)
def sparse_fast_sigmoid(u: Tensor) -> Tensor:
    return surrogate.SFS(slope=10, B=0.2)(u)


@FUNCTIONS.holds(lambda draw: (draw.normal(3, 8),), step, surrogate=torch.relu, because=SPIKE)
def heaviside(u: Tensor) -> Tensor:
    return surrogate.heaviside()(u)
