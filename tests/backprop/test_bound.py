"""How large δ can be: a bound that holds, and is met where every factor is at its largest."""

import pytest
import torch

from torchref import nn
from torchref.backprop import delta_bounds, sweep


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
