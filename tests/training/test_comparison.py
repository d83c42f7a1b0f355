import math
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import torchref.nn as nn
from torchref.training import Examples, Outcome, Settings, train_both_ways
from torchref.training.comparison import DIFFERENCE, LOG_DIFFERENCE, LOSS, relative_difference


def examples(seed: int = 0) -> Examples:
    generator = torch.Generator().manual_seed(seed)
    return Examples(
        torch.randn(7, 4, generator=generator, dtype=torch.float64),
        torch.rand(7, 2, generator=generator, dtype=torch.float64),
    )


def trained(logdir: Path, network: torch.nn.Module | None = None, **kwargs: Any) -> Outcome:
    settings = Settings(epochs=kwargs.pop("epochs", 20), lr=0.1, logdir=logdir)
    return train_both_ways(
        "test",
        settings,
        nn.SigmoidNetwork((4, 3, 2)).double() if network is None else network,
        examples(),
        loss=nn.SquaredError("sum"),
        torch_loss=torch.nn.MSELoss(reduction="sum"),
        **kwargs,
    )


def scalars(outcome: Outcome, run: str, tag: str) -> list[tuple[int, float]]:
    accumulator = EventAccumulator(str(outcome.folder / run), size_guidance={"scalars": 0})
    return [(each.step, each.value) for each in accumulator.Reload().Scalars(tag)]


def test_both_curves_are_in_the_event_files_and_fall_alike(tmp_path: Path) -> None:
    outcome = trained(tmp_path)
    mine, torchs = (scalars(outcome, run, LOSS) for run in ("handwritten", "torch"))
    assert [step for step, _ in mine] == list(range(21))
    assert mine == torchs  # the event files hold float32
    assert mine[-1][1] < mine[0][1]


def test_the_difference_of_the_gradients_is_a_tiny_scalar_of_its_own(tmp_path: Path) -> None:
    outcome = trained(tmp_path)
    differences = scalars(outcome, "handwritten", DIFFERENCE)
    assert len(differences) == 21
    assert max(value for _, value in differences) < 1e-12
    for (_, value), (_, logarithm) in zip(
        differences, scalars(outcome, "handwritten", LOG_DIFFERENCE), strict=True
    ):
        assert logarithm == pytest.approx(math.log10(value) if value else -20, abs=1e-4)


class HalvedGradient(torch.autograd.Function):
    @staticmethod
    def forward(x):
        return x.clone()

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass

    @staticmethod
    def backward(_, grad_y):
        return grad_y / 2


class Halved(nn.Sigmoid):
    """A layer with a wrong gradient, which its twin, torch's Sigmoid, does not have."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return super().forward(HalvedGradient.apply(input))


Halved.__module__, Halved.__name__ = nn.__name__, "Sigmoid"


def test_a_wrong_gradient_shows(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Linear(4, 3), Halved(), nn.Linear(3, 2), nn.Sigmoid()).double()
    outcome = trained(tmp_path, network)
    (_, first), *_ = scalars(outcome, "handwritten", DIFFERENCE)
    assert first == pytest.approx(0.5)
    assert outcome.scalars["handwritten"][LOSS] != pytest.approx(outcome.scalars["torch"][LOSS])


def test_epoch_n_is_the_state_after_n_steps(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = nn.SigmoidNetwork((4, 3, 2)).double()
    own = nn.SigmoidNetwork((4, 3, 2)).double()
    own.load_state_dict(network.state_dict())
    descent = torch.optim.SGD(own.parameters(), lr=0.1)
    data, loss = examples(), nn.SquaredError("sum")
    for _ in range(3):
        descent.zero_grad()
        loss(own(data.x), data.target).backward()
        descent.step()
    outcome = trained(tmp_path, network, epochs=3)
    assert outcome.epochs == 3
    assert outcome.scalars["handwritten"][LOSS] == loss(own(data.x), data.target).item()


def test_the_threshold_ends_it(tmp_path: Path) -> None:
    start = trained(tmp_path, epochs=1).scalars["torch"][LOSS]
    outcome = trained(tmp_path, epochs=10_000, threshold=0.9 * start)
    assert outcome.under_threshold
    assert 0 < outcome.epochs < 10_000
    losses = scalars(outcome, "handwritten", LOSS)
    assert losses[-1][0] == outcome.epochs
    assert losses[-1][1] < 0.9 * start
    assert not trained(tmp_path, epochs=2).under_threshold


def test_scores_are_logged_for_both_parts(tmp_path: Path) -> None:
    def mean(output: torch.Tensor, _: torch.Tensor) -> float:
        return output.mean().item()

    network = nn.SigmoidNetwork((4, 3, 2)).double()
    held_out = examples(seed=1)
    outcome = trained(tmp_path, network, held_out=held_out, scores={"mean": mean})
    last = outcome.scalars["handwritten"]
    assert last["mean/held_out"] == network(held_out.x).mean().item()
    assert last["mean/train"] == network(examples().x).mean().item()
    assert len(scalars(outcome, "torch", "mean/held_out")) == 21


def test_long_runs_log_about_500_epochs(tmp_path: Path) -> None:
    steps = [step for step, _ in scalars(trained(tmp_path, epochs=1700), "torch", LOSS)]
    assert 500 <= len(steps) <= 600
    assert steps[0] == 0
    assert steps[-1] == 1700
    assert steps == sorted(set(steps))


def test_relative_difference_is_the_largest_over_the_parameters() -> None:
    one, other = torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)
    with pytest.raises(ValueError, match="backpropagated"):
        relative_difference(one, other)
    one.weight.grad, one.bias.grad = torch.tensor([[4.0, 1.0]]), torch.tensor([0.0])
    other.weight.grad, other.bias.grad = torch.tensor([[5.0, 1.0]]), torch.tensor([0.0])
    assert relative_difference(one, other) == pytest.approx(1 / 5)
    one.bias.grad = torch.tensor([0.1])
    assert relative_difference(one, other) == math.inf


@pytest.mark.cuda
def test_on_cuda(tmp_path: Path) -> None:
    network = nn.SigmoidNetwork((4, 3, 2)).double()
    outcome = train_both_ways(
        "test",
        Settings(device="cuda", epochs=20, lr=0.1, logdir=tmp_path),
        network,
        examples(),
        loss=nn.SquaredError("sum"),
        torch_loss=torch.nn.MSELoss(reduction="sum"),
    )
    assert all(parameter.is_cuda for parameter in network.parameters())
    assert outcome.scalars["handwritten"][DIFFERENCE] < 1e-12
