"""mambapy: the parallel scan of a state space model."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Shelf

scans = pytest.importorskip("mambapy.pscan", reason="mambapy is not installed")
FUNCTIONS = Shelf("mambapy")


def step_by_step(a: Tensor, x: Tensor) -> Tensor:
    h, states = torch.zeros_like(x[:, 0]), []
    for t in range(x.shape[1]):
        h = a[:, t] * h + x[:, t]
        states.append(h)
    return torch.stack(states, 1)


@FUNCTIONS.holds(
    lambda draw: (draw.between(0.3, 1, 2, 11, 5, 3), draw.normal(2, 11, 5, 3)), step_by_step
)
def pscan(a: Tensor, x: Tensor) -> Tensor:
    return scans.pscan(a, x)


@FUNCTIONS.holds(lambda draw: (draw.between(0.3, 1, 2, 8, 3, 4), draw.normal(2, 8, 3, 4)))
def pscan_of_a_power_of_two(a: Tensor, x: Tensor) -> Tensor:
    return scans.pscan(a, x)
