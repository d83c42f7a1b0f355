"""A problem for a step, and what a step must do."""

import torch
from torch import Tensor

from torchref import nn
from torchref.backprop import Backprop, sweep

EXACT = {"rtol": 0, "atol": 0}


def gradients(network: nn.Module) -> dict[str, Tensor]:
    return {name: p.grad for name, p in network.named_parameters() if p.grad is not None}


def problem() -> tuple[nn.SigmoidNetwork, nn.Module, Tensor, Tensor]:
    torch.manual_seed(0)
    network = nn.SigmoidNetwork((4, 3, 2)).double()
    return network, nn.BCELoss(), torch.rand(5, 4).double(), torch.rand(5, 2).double()


def assert_step_is_right(step: Backprop, network: nn.Module, *rest: object) -> None:
    step(*rest[1:])
    torch.testing.assert_close(gradients(network), sweep(network, *rest).gradients, **EXACT)


def grad_of(parameter: nn.Parameter) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad
