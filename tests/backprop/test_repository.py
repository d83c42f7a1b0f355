"""Levels are counted as the lectures do, and what is not kept is said."""

import pytest
import torch

from torchref import InputError, nn
from torchref.backprop import delta_bounds, sweep


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


@pytest.mark.parametrize("seed", range(5))
def test_every_delta_is_within_its_bound(seed: int) -> None:
    torch.manual_seed(seed)
    network = nn.SigmoidNetwork((4, 3, 5, 2)).double()
    x, target = torch.randn(7, 4).double(), torch.rand(7, 2).double()
    kept = sweep(network, nn.MSELoss(), x, target).repository
    bounds = delta_bounds(network, kept, steepest=0.25)
    assert len(bounds) == 3
    for level, bound in enumerate(bounds, start=1):
        assert 0 < kept.delta(level).norm() < bound


def test_where_every_slope_is_steepest_the_bound_is_met() -> None:
    """Orthogonal weights keep lengths, and at z = 0 the sigmoid's slope is a quarter."""
    network = nn.SigmoidNetwork((3, 3, 3)).double()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "weight" in name:
                nn.init.orthogonal_(parameter)
                halves = parameter.sum(dim=1) / 2  # what a = ½ makes of the weights above
            else:
                parameter.copy_(-halves if "2" in name else 0)
    x, target = torch.zeros(1, 3).double(), torch.rand(1, 3).double()
    kept = sweep(network, nn.MSELoss(), x, target).repository
    deltas = [kept.delta(level).norm().item() for level in (1, 2)]
    assert delta_bounds(network, kept, steepest=0.25) == pytest.approx(deltas, rel=1e-12)
    assert delta_bounds(network, kept, steepest=0.24)[0] < deltas[0]
