"""geffnet: activations of mobile networks that keep only their input."""

import pytest
import torch.nn.functional as F
from torch import Tensor

from tests.packages.published import Shelf

activations = pytest.importorskip(
    "geffnet.activations.activations_me", reason="geffnet is not installed"
)
FUNCTIONS = Shelf("geffnet")


@FUNCTIONS.holds(lambda draw: (draw.normal(2, 3, 5, 7),), F.silu)
def swish(x: Tensor) -> Tensor:
    return activations.swish_me(x)


@FUNCTIONS.holds(lambda draw: (draw.normal(2, 5, 4, 3),), F.mish)
def mish(x: Tensor) -> Tensor:
    return activations.mish_me(x)


@FUNCTIONS.holds(lambda draw: (3 * draw.normal(4, 3, 5),), F.hardsigmoid)
def hard_sigmoid(x: Tensor) -> Tensor:
    return activations.hard_sigmoid_me(x)


@FUNCTIONS.holds(lambda draw: (3 * draw.normal(3, 4, 7),))
def hard_swish(x: Tensor) -> Tensor:
    return activations.hard_swish_me(x)
