"""revtorch: reversible blocks."""

import pytest
import torch
from torch import Tensor, nn

from tests.packages.published import Shelf

revtorch = pytest.importorskip("revtorch", reason="revtorch is not installed")
FUNCTIONS = Shelf("revtorch")


def block(dtype: torch.dtype) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(5, 5), nn.Tanh()).to(dtype)


def added(x: Tensor) -> Tensor:
    network = block(x.dtype)
    first, second = x.chunk(2, 1)
    for _ in range(2):
        first = first + network(second)
        second = second + network(first)
    return torch.cat((first, second), 1)


def sequence(x: Tensor, eagerly: bool) -> Tensor:
    blocks = [revtorch.ReversibleBlock(block(x.dtype), block(x.dtype)) for _ in range(2)]
    return revtorch.ReversibleSequence(nn.ModuleList(blocks), eagerly)(x)


@FUNCTIONS.holds(lambda draw: (draw.normal(3, 4, 5),), added)
def reversible(x: Tensor) -> Tensor:
    return sequence(x, eagerly=False)


@FUNCTIONS.holds(lambda draw: (draw.normal(3, 4, 5),))
def reversible_and_forgotten(x: Tensor) -> Tensor:
    return sequence(x, eagerly=True)
