from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.autograd.function import BackwardCFunction

import torchref.nn as nn
from torchref.errors import InputError
from torchref.training import torch_twin


def functions(node: Any) -> Iterator[Any]:
    """Every node of the graph above `node`."""
    if node is not None:
        yield node
        for above, _ in node.next_functions:
            yield from functions(above)


def handwritten(output: torch.Tensor) -> bool:
    return any(isinstance(node, BackwardCFunction) for node in functions(output.grad_fn))


def test_the_twin_has_torchs_layers_and_the_same_start() -> None:
    network, x = nn.SigmoidNetwork((4, 3, 2)), torch.randn(5, 4)
    twin = torch_twin(network)
    assert handwritten(network(x))
    assert not handwritten(twin(x))
    assert type(twin.linear1) is torch.nn.Linear
    torch.testing.assert_close(twin(x), network(x))
    assert network.state_dict().keys() == twin.state_dict().keys()


def test_the_twin_goes_its_own_way() -> None:
    network = nn.SigmoidNetwork((4, 3))
    twin = torch_twin(network)
    torch.nn.init.zeros_(twin.linear1.weight)
    assert network.linear1.weight.abs().min() > 0


def test_layers_inside_layers_and_losses_are_found() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.Sequential(nn.Sigmoid(), nn.Linear(3, 1)))
    twin = torch_twin(model)
    assert not handwritten(twin(torch.randn(5, 4)))
    assert type(torch_twin(nn.BCEWithLogitsLoss())) is torch.nn.BCEWithLogitsLoss


def test_a_bias_folded_into_the_matrix_stays_there() -> None:
    network, x = nn.Sequential(nn.HomogeneousLinear(4, 3), nn.Sigmoid()), torch.randn(5, 4)
    twin = torch_twin(network)
    assert handwritten(network(x))
    assert not handwritten(twin(x))
    torch.testing.assert_close(twin(x), network(x))
    for model in (network, twin):
        model(x).square().sum().backward()
    torch.testing.assert_close(twin[0].weight.grad, network[0].weight.grad)
    assert twin.state_dict().keys() == network.state_dict().keys()


class Squared(nn.Sigmoid):
    """A handwritten layer that torch has not."""


Squared.__module__ = nn.__name__


def test_a_layer_that_torch_does_not_have_is_refused_by_name() -> None:
    model = nn.Sequential(nn.Linear(4, 3), Squared())
    with pytest.raises(InputError, match="but 1: torch has no Squared"):
        torch_twin(model)
    with pytest.raises(InputError, match="but the model: torch has no SquaredError"):
        torch_twin(nn.SquaredError())
