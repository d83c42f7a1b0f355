"""The sweep through softmax and cross-entropy, and what it does not take there."""

import pytest
import torch

from torchref import nn
from torchref.backprop import Backprop, sweep
from torchref.errors import InputError


def stack(seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)).double()


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("shape", [(5, 4), (4,), (1, 4)], ids=str)
def test_it_equals_autograd_of_torchs_loss(shape: tuple[int, ...], reduction: str) -> None:
    for seed in range(3):
        network, x = stack(seed), torch.randn(shape, dtype=torch.float64)
        target = torch.rand((*shape[:-1], 3), dtype=torch.float64)
        loss = nn.CrossEntropyLoss(reduction=reduction)
        value = torch.nn.CrossEntropyLoss(reduction=reduction)(network(x), target)
        truth = torch.autograd.grad(value, [*network.parameters()])
        swept = sweep(network, loss, x, target)
        torch.testing.assert_close(swept.loss, value.detach(), rtol=1e-13, atol=0)
        Backprop(network, loss)(x, target)
        for (name, parameter), expected in zip(network.named_parameters(), truth, strict=True):
            torch.testing.assert_close(swept.gradients[name], expected, rtol=1e-11, atol=1e-13)
            torch.testing.assert_close(parameter.grad, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(
    ("loss", "target"),
    [
        (nn.CrossEntropyLoss(), torch.tensor([0, 1, 2])),
        (nn.CrossEntropyLoss(weight=torch.ones(3).double()), torch.rand(3, 3).double()),
        (nn.CrossEntropyLoss(label_smoothing=0.1), torch.rand(3, 3).double()),
    ],
    ids=["numbers", "weight", "smoothing"],
)
def test_what_the_op_does_not_take_is_refused(
    loss: nn.CrossEntropyLoss, target: torch.Tensor
) -> None:
    with pytest.raises(InputError, match="must have probabilities as targets"):
        sweep(stack(0), loss, torch.randn(3, 4).double(), target)


def test_classes_that_do_not_come_last_are_refused() -> None:
    x, target = torch.randn(2, 3, 4).double(), torch.rand(2, 3, 3).double()
    with pytest.raises(InputError, match="one row an example"):
        sweep(stack(0), nn.CrossEntropyLoss(), x, target)
