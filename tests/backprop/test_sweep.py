"""The sweep equals autograd, keeps what the lecture keeps, and computes nothing unneeded."""

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from tests.backprop.random_stacks import by_autograd, stacks
from torchref import nn
from torchref.backprop import correspond, sweep
from torchref.errors import InputError
from torchref.ops import Op, Sigmoid

ROUND_OFF = {"rtol": 1e-12, "atol": 1e-14}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(stacks())
def test_loss_and_gradients_equal_autograds(
    drawn: tuple[nn.Sequential, nn.Module, Tensor, Tensor],
) -> None:
    swept = sweep(*drawn)
    value, gradients = by_autograd(*drawn)
    torch.testing.assert_close(swept.loss, value.detach(), **ROUND_OFF)
    assert set(swept.gradients) == set(gradients)
    for name, gradient in gradients.items():
        torch.testing.assert_close(swept.gradients[name], gradient, **ROUND_OFF)


def worked_example() -> tuple[nn.SigmoidNetwork, nn.Module, Tensor, Tensor]:
    network = nn.SigmoidNetwork((1, 1, 1)).double()
    for value, parameter in zip((0.15, 0.40, 0.45, 0.65), network.parameters(), strict=True):
        nn.init.constant_(parameter, value)
    x, target = torch.tensor([[[0.1]], [[0.25]]], dtype=torch.float64)
    return network, nn.SquaredError("half_sum"), x, target


def test_the_repository_keeps_every_z_a_and_delta_of_the_lecture() -> None:
    swept = sweep(*worked_example())
    kept = swept.repository
    z_1 = torch.tensor(0.415, dtype=torch.float64)
    a_1 = torch.sigmoid(z_1)
    z_2 = 0.45 * a_1 + 0.65
    a_2 = torch.sigmoid(z_2)
    delta_2 = -(0.25 - a_2) * a_2 * (1 - a_2)
    delta_1 = delta_2 * 0.45 * a_1 * (1 - a_1)
    assert kept.depth == 2
    for mine, its in (
        (kept.a(0), 0.1),
        (kept.z(1), z_1),
        (kept.a(1), a_1),
        (kept.z(2), z_2),
        (kept.a(2), a_2),
        (kept.delta(2), delta_2),
        (kept.delta(1), delta_1),
        (swept.gradients["linear2.weight"], delta_2 * a_1),
        (swept.gradients["linear1.bias"], delta_1),
    ):
        assert mine.item() == pytest.approx(float(its), rel=1e-14)
    assert list(kept.outputs) == ["linear1", "sigmoid1", "linear2", "sigmoid2"]
    assert list(kept.deltas) == ["sigmoid2", "linear2", "sigmoid1", "linear1"]


def test_every_delta_is_the_derivative_that_autograd_finds_there() -> None:
    torch.manual_seed(0)
    network = nn.SigmoidNetwork((3, 4, 2, 5)).double()
    x, target = torch.randn(6, 3).double(), torch.rand(6, 5).double()
    outputs: dict[str, Tensor] = {}
    y = x
    for name, layer in network.named_children():
        y = outputs[name] = layer(y)
    loss = nn.BCELoss()
    derivatives = torch.autograd.grad(loss(y, target), list(outputs.values()))
    kept = sweep(network, loss, x, target).repository
    for (name, output), derivative in zip(outputs.items(), derivatives, strict=True):
        torch.testing.assert_close(kept.outputs[name], output.detach(), **ROUND_OFF)
        torch.testing.assert_close(kept.deltas[name], derivative, **ROUND_OFF)


def test_a_layer_used_twice_gets_the_sum_of_both_gradients() -> None:
    torch.manual_seed(0)
    shared = nn.Linear(3, 3).double()
    network = nn.Sequential(shared, nn.Tanh(), shared, nn.Sigmoid())
    drawn = network, nn.MSELoss(), torch.randn(5, 3).double(), torch.rand(5, 3).double()
    _, gradients = by_autograd(*drawn)
    torch.testing.assert_close(sweep(*drawn).gradients, gradients, **ROUND_OFF)


def test_flatten_and_unflatten_pass_the_gradient_on() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Flatten(), nn.Linear(6, 4), nn.Unflatten(1, (2, 2)), nn.Linear(2, 3), nn.Sigmoid()
    ).double()
    drawn = network, nn.BCELoss(), torch.randn(5, 2, 3).double(), torch.rand(5, 2, 3).double()
    _, gradients = by_autograd(*drawn)
    torch.testing.assert_close(sweep(*drawn).gradients, gradients, **ROUND_OFF)


class Counting(Sigmoid):
    """The sigmoid, with a count of its backwards."""

    backwards = 0

    @staticmethod
    def backward(ctx, grad_y):
        Counting.backwards += 1
        return Sigmoid.backward(ctx, grad_y)


class Counted(nn.Sigmoid):
    """A layer that computes `Counting`."""


def test_nothing_is_swept_below_the_last_parameter_that_learns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Counting, "backwards", 0)
    correspond(Counted, Counting)
    network = nn.Sequential(nn.Linear(2, 3), Counted(), nn.Linear(3, 2), Counted())
    network[0].requires_grad_(False)
    swept = sweep(network, nn.MSELoss(), torch.rand(5, 2), torch.rand(5, 2))
    assert set(swept.gradients) == {"2.weight", "2.bias"}
    assert Counting.backwards == 1
    with pytest.raises(InputError, match=r"delta\(1\).*no parameter at or below 0 requires one"):
        swept.repository.delta(1)


def test_no_input_gradient_is_asked_of_the_first_layer() -> None:
    seen: list[tuple[bool, ...]] = []

    class Watching(Op):
        @staticmethod
        def forward(x, weight):
            return x * weight

        @staticmethod
        def setup_context(ctx, inputs, _):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, grad_y):
            seen.append(ctx.needs_input_grad)
            x, weight = ctx.saved_tensors
            return grad_y * weight, (grad_y * x).sum(0)

    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(2))

        def forward(self, x: Tensor) -> Tensor:
            return Watching.call(x, self.weight)

    correspond(Scale, Watching, "weight")
    sweep(nn.Sequential(Scale(), Scale()), nn.MSELoss(), torch.rand(5, 2), torch.rand(5, 2))
    assert seen == [(True, True), (False, True)]


@pytest.mark.parametrize(
    ("network", "loss", "said"),
    [
        (torch.nn.Linear(2, 2), nn.MSELoss(), "torch.nn.modules.linear.Linear"),
        (nn.Sequential(nn.Linear(2, 2), torch.nn.GELU()), nn.MSELoss(), "1 is a torch.nn"),
        (nn.Linear(2, 2), torch.nn.MSELoss(), "Take its twin from torchref.nn"),
        (nn.Linear(2, 2), nn.MSELoss, "the class MSELoss arrived. Make one of it"),
        (nn.Linear(2, 2), nn.functional.mse_loss, "loss must be a module.* mse_loss arrived"),
        (nn.Linear, nn.MSELoss(), "network must be a module.* the class Linear arrived"),
        (nn.Linear(2, 2), nn.MSELoss(reduction="none"), "the loss must be one value"),
        (nn.Linear(3, 2), nn.MSELoss(), "must agree in their last dimension"),
        (nn.Linear(2, 1), nn.MSELoss(), "must have the same shape"),
    ],
)
def test_what_cannot_be_swept_is_said(network: nn.Module, loss: nn.Module, said: str) -> None:
    with pytest.raises(InputError, match=said):
        sweep(network, loss, torch.rand(5, 2), torch.rand(5, 2))


@pytest.mark.parametrize("level", [0, 3, -1, 1.5, "1"])
def test_a_level_that_is_not_there_is_said(level: object) -> None:
    kept = sweep(*worked_example()).repository
    with pytest.raises(InputError, match=rf"z\(level\): level must lie in 1 … 2, but {level} arr"):
        kept.z(level)
