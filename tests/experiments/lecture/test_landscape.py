"""The cost over a few entries: its slopes, its rows, and the way downhill."""

import pytest
import torch

from experiments.lecture.landscape import Landscape
from torchref import nn

NAMES = "linear1.weight", "linear2.bias"


@pytest.fixture
def network() -> nn.SigmoidNetwork:
    torch.manual_seed(3)
    return nn.SigmoidNetwork((2, 3, 1)).double()


def over(network: nn.Module) -> Landscape:
    x, target = torch.randn(5, 2).double(), torch.rand(5, 1).double()
    return Landscape(network, nn.MSELoss(), x, target, *NAMES)


def test_slopes_are_those_of_the_cost(network: nn.Module) -> None:
    cost, step = over(network), 1e-5
    for point in ((0.0, 0.0), (1.5, -2.0)):
        (w, b), (by_w, by_b) = point, cost.slopes_at(point)
        differences = (
            (cost.at((w + step, b)) - cost.at((w - step, b))) / (2 * step),
            (cost.at((w, b + step)) - cost.at((w, b - step))) / (2 * step),
        )
        assert (by_w, by_b) == pytest.approx(differences, rel=1e-7)


def test_the_network_that_was_given_stays_as_it_was(network: nn.Module) -> None:
    before = {name: p.clone() for name, p in network.named_parameters()}
    over(network).at((7.0, 7.0))
    for name, parameter in network.named_parameters():
        assert torch.equal(parameter, before[name])
        assert parameter.requires_grad


def test_rows_are_of_the_second_entry(network: nn.Module) -> None:
    cost = over(network)
    values = cost.over((0.0, 1.0, 2.0), (5.0, 6.0))
    assert values.shape == (2, 3)
    assert values[1, 2] == cost.at((2.0, 6.0))


def test_a_descent_goes_against_the_slopes(network: nn.Module) -> None:
    cost = over(network)
    first, second, *_ = cost.descent((0.5, -0.5), 0.1, 4)
    by_w, by_b = cost.slopes_at(first)
    assert second == (0.5 - 0.1 * by_w, -0.5 - 0.1 * by_b)
    assert cost.at(second) < cost.at(first)
