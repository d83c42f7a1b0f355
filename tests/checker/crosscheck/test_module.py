"""A whole module against its twin: its parameters by name, and its state untouched."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.checker.given.runs import normal
from torchref import crosscheck
from torchref.ops import Affine

ROWS = 7


class Deep(nn.Module):
    """Ten layers: 20 parameters, and batch norm's buffers."""

    def __init__(self, linear: type[nn.Module]) -> None:
        super().__init__()
        sizes = [5, 4, 6, 3, 7, 4, 5, 3, 6, 4]
        self.layers = nn.ModuleList(linear(i, o) for i, o in pairwise(sizes))
        self.norm = nn.BatchNorm1d(4)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return self.norm(x)


class HandLinear(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return Affine.call(x, self.weight, self.bias)


class ForgetfulLinear(nn.Linear):
    """The fourth layer's bias has a gradient of its first row alone."""

    def forward(self, x: Tensor) -> Tensor:
        if self.in_features != 3 or self.out_features != 7:
            return Affine.call(x, self.weight, self.bias)
        first = self.bias - self.bias.detach()
        mask = torch.zeros(len(x), 1, dtype=x.dtype, device=x.device)
        mask[0] = 1
        return F.linear(x, self.weight, self.bias.detach()) + first * mask


def deep_twins(linear: type[nn.Module]) -> tuple[Deep, Deep]:
    torch.manual_seed(3)
    twin = Deep(nn.Linear)
    candidate = Deep(linear)
    candidate.load_state_dict(twin.state_dict())
    return candidate, twin


def test_a_module_of_20_parameters_against_its_twin() -> None:
    candidate, twin = deep_twins(HandLinear)
    assert len(list(candidate.parameters())) == 20
    report = crosscheck(candidate, twin, (normal(ROWS, 5),))
    assert report.verdict == "right", str(report)


def test_one_wrong_parameter_of_20_is_named() -> None:
    candidate, twin = deep_twins(ForgetfulLinear)
    report = crosscheck(candidate, twin, (normal(ROWS, 5),))
    assert {finding.argument for finding in report.findings} == {"layers.3.bias"}, str(report)


def test_a_module_keeps_its_gradients_parameters_and_buffers() -> None:
    candidate, twin = deep_twins(HandLinear)
    candidate(normal(ROWS, 5).float()).sum().backward()
    kept = [p.grad.clone() for p in candidate.parameters()]
    state = {name: value.clone() for name, value in candidate.state_dict().items()}
    crosscheck(candidate, twin, (normal(ROWS, 5),))
    torch.testing.assert_close([p.grad for p in candidate.parameters()], kept, rtol=0, atol=0)
    torch.testing.assert_close(dict(candidate.state_dict()), state, rtol=0, atol=0)
    assert all(p.grad is None for p in twin.parameters())
    assert candidate.training
