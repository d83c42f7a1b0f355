"""reformer_pytorch: reversible layers of a transformer."""

import pytest
import torch
from torch import Tensor, nn

from tests.packages.published import Shelf

reversible = pytest.importorskip(
    "reformer_pytorch.reversible", reason="reformer_pytorch is not installed"
)
FUNCTIONS = Shelf("reformer_pytorch")


def block(dtype: torch.dtype) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.LayerNorm(5), nn.Linear(5, 5), nn.GELU()).to(dtype)


def added(x: Tensor) -> Tensor:
    network = block(x.dtype)
    first, second = x.chunk(2, 2)
    for _ in range(2):
        first = first + network(second)
        second = second + network(first)
    return torch.cat((first, second), 2)


@FUNCTIONS.holds(lambda draw: (draw.normal(3, 4, 10),), added)
def sequence(x: Tensor) -> Tensor:
    pairs = [nn.ModuleList((block(x.dtype), block(x.dtype))) for _ in range(2)]
    return reversible.ReversibleSequence(nn.ModuleList(pairs))(x, arg_route=(False, False))
