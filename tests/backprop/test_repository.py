"""Levels are counted as the lectures do, and what is not kept is said."""

import pytest
import torch

from torchref import InputError, nn
from torchref.backprop import sweep


def repository_of(network: nn.Module):
    torch.manual_seed(0)
    x = torch.rand(5, 4)
    return x, sweep(network, nn.MSELoss(), x, torch.rand(5, 2)).repository


def test_a_of_zero_is_the_input_and_a_layer_without_activation_is_its_own() -> None:
    x, kept = repository_of(nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2)))
    assert kept.a(0) is x
    assert kept.a(1) is kept.outputs["1"]
    assert kept.a(2) is kept.z(2) is kept.outputs["2"]


def test_what_stands_before_the_first_parameter_belongs_to_level_zero() -> None:
    _, kept = repository_of(nn.Sequential(nn.Sigmoid(), nn.Linear(4, 2)))
    assert kept.depth == 1
    assert kept.a(0) is kept.outputs["0"]


def test_the_last_of_several_activations_is_a() -> None:
    _, kept = repository_of(nn.Sequential(nn.Linear(4, 2), nn.Tanh(), nn.Sigmoid()))
    assert kept.a(1) is kept.outputs["2"]
    assert kept.delta(1) is kept.deltas["0"]


@pytest.mark.parametrize(
    ("symbol", "level"), [("z", 0), ("z", 3), ("a", 3), ("a", -1), ("delta", 0)]
)
def test_levels_that_are_not_there_are_said(symbol: str, level: int) -> None:
    _, kept = repository_of(nn.SigmoidNetwork((4, 3, 2)))
    with pytest.raises(InputError, match=rf"{symbol}\(level\): level must lie in . … 2"):
        getattr(kept, symbol)(level)


def test_what_is_shown_of_it_are_shapes() -> None:
    _, kept = repository_of(nn.Sequential(nn.Linear(4, 3), nn.Sigmoid(), nn.Linear(3, 2)))
    shown = "outputs={'x': (5, 4), '0': (5, 3), '1': (5, 3), '2': (5, 2)}, deltas of 3"
    assert repr(kept) == f"Repository(depth=2, {shown})"
