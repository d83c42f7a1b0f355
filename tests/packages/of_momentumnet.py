"""momentumnet: residual networks with a momentum, which makes them invertible."""

import pytest
import torch
from torch import Tensor, nn

from tests.packages.published import Shelf

momentumnet = pytest.importorskip("momentumnet", reason="momentumnet is not installed")
FUNCTIONS = Shelf("momentumnet")


class Layer(nn.Module):
    def forward(self, x: Tensor, weight: Tensor) -> Tensor:
        return torch.tanh(x @ weight)


def recurrent(x: Tensor, weight: Tensor) -> Tensor:
    v = torch.zeros_like(x)
    for _ in range(3):
        v = 0.9 * v + (1 - 0.9) * torch.tanh(x @ weight)
        x = x + v
    return x


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 5), draw.normal(5, 5)),
    recurrent,
    tolerance=1e-3,
    because="the velocity is kept in fixed point",
)
def network(x: Tensor, weight: Tensor) -> Tensor:
    layers = [Layer() for _ in range(3)]
    return momentumnet.MomentumNet(layers, gamma=0.9, use_backprop=False)(x, weight)
