"""e3nn: networks that turn with their inputs."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Shelf

math = pytest.importorskip("e3nn.math", reason="e3nn is not installed")
FUNCTIONS = Shelf("e3nn")


def step(x: Tensor) -> Tensor:
    positive = torch.where(x > 0, x, 1.0)
    return torch.where(x > 0, torch.exp(-1 / positive), 0.0)


@FUNCTIONS.holds(lambda draw: (draw.normal(4, 7),), step)
def soft_unit_step(x: Tensor) -> Tensor:
    return math.soft_unit_step(x)


@FUNCTIONS.holds(lambda draw: (draw.between(0, 4, 9),), dtype=torch.float64)
def soft_one_hot(distance: Tensor) -> Tensor:
    return math.soft_one_hot_linspace(distance, 0.0, 3.0, 5, "smooth_finite", True)
