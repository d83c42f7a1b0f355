import copy
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import torchref.nn as nn
from tests.training.small_task import BOTH, curve, examples, rows, settings, task, trained
from torchref.training import Dtype, Gradients, Optimizer, train
from torchref.training.checks.live_check import DIFFERENCE, LOG_DIFFERENCE
from torchref.training.process.stopping import NotFiniteError

LOSS = "loss/train"


def test_both_curves_are_in_the_event_files_and_fall_alike(tmp_path: Path) -> None:
    outcome = trained(tmp_path, gradients=BOTH)
    mine, torchs = (curve(outcome, run, LOSS) for run in ("handwritten", "torch"))
    assert [step for step, _ in mine] == list(range(7))
    assert [value for _, value in mine] == pytest.approx([value for _, value in torchs])
    assert mine[-1][1] < mine[0][1]


def test_the_difference_of_the_gradients_is_a_tiny_scalar_of_its_own(tmp_path: Path) -> None:
    outcome = trained(tmp_path, gradients=BOTH)
    differences = curve(outcome, "handwritten", DIFFERENCE)
    assert [step for step, _ in differences] == list(range(1, 7))
    assert max(value for _, value in differences) < 1e-12
    for (_, value), (_, logarithm) in zip(
        differences, curve(outcome, "handwritten", LOG_DIFFERENCE), strict=True
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
    network = nn.Sequential(nn.Linear(4, 3), Halved(), nn.Linear(3, 2), nn.Sigmoid())
    outcome = train(task(network), settings(tmp_path))
    differences = [value for _, value in curve(outcome, "handwritten", DIFFERENCE)]
    assert differences == pytest.approx([0.5] * 6)


@pytest.mark.parametrize(("layer", "expected"), [(nn.Sigmoid, "right"), (Halved, "wrong")])
def test_the_trained_model_gets_a_verdict(tmp_path: Path, layer: type, expected: str) -> None:
    network = nn.Sequential(nn.Linear(4, 3), layer(), nn.Linear(3, 2))
    outcome = train(task(network), settings(tmp_path, crosscheck=True))
    record = json.loads((outcome.folder / "config.json").read_text())
    assert record["crosscheck"] == expected
    assert record["status"] == "finished"


def by_hand(epochs: int, optimizer: Optimizer, gradients: Gradients) -> list[torch.Tensor]:
    """The same training in a dozen lines of plain torch."""
    own = task()
    model = own.network.double()
    if gradients == Gradients.TORCH:
        layers = (torch.nn.Linear(4, 9), torch.nn.Sigmoid(), torch.nn.Linear(9, 2))
        plain = torch.nn.Sequential(*layers, torch.nn.Sigmoid()).double()
        plain.load_state_dict(
            dict(zip(plain.state_dict(), model.state_dict().values(), strict=True))
        )
        model = plain
    kind = {
        Optimizer.SGD: torch.optim.SGD,
        Optimizer.MOMENTUM: lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9),
        Optimizer.ADAM: torch.optim.Adam,
        Optimizer.ADAMW: torch.optim.AdamW,
    }[optimizer]
    descent = kind(model.parameters(), lr=0.1)
    data, generator = examples(), torch.Generator().manual_seed(0)
    for _ in range(epochs):
        for batch in torch.randperm(len(data), generator=generator).split(5):
            descent.zero_grad()
            torch.nn.functional.mse_loss(model(data.x[batch]), data.target[batch]).backward()
            descent.step()
    return [p.detach() for p in model.parameters()]


@pytest.mark.parametrize("optimizer", Optimizer)
@pytest.mark.parametrize("gradients", Gradients)
def test_every_way_and_optimizer_trains_as_a_plain_loop_does(
    tmp_path: Path, gradients: Gradients, optimizer: Optimizer
) -> None:
    outcome = trained(tmp_path, gradients=[gradients], optimizer=optimizer)
    model = outcome.models[gradients]
    for mine, plain in zip(model.parameters(), by_hand(6, optimizer, gradients), strict=True):
        torch.testing.assert_close(mine.detach(), plain, rtol=1e-9, atol=1e-11)


def test_the_same_seed_gives_the_same_curve_and_another_another(tmp_path: Path) -> None:
    one, again, other = (rows(trained(tmp_path, seed=seed).folder) for seed in (3, 3, 4))
    assert one == again != other


def test_the_threshold_ends_it(tmp_path: Path) -> None:
    start = trained(tmp_path, epochs=1).scalars["handwritten"][LOSS]
    outcome = train(task(), settings(tmp_path, epochs=1000), threshold=0.9 * start)
    assert outcome.ended_by == "threshold"
    losses = curve(outcome, "handwritten", LOSS)
    assert losses[-1][0] == outcome.epochs < 1000
    assert losses[-1][1] < 0.9 * start


def test_patience_ends_it(tmp_path: Path) -> None:
    held_out = examples(1)
    never_better = replace(held_out, target=1 - examples().target)
    outcome = train(
        replace(task(), held_out=replace(never_better, x=examples().x)),
        settings(tmp_path, epochs=1000, early_stop=4),
    )
    assert outcome.ended_by == "patience"
    losses = [value for _, value in curve(outcome, "handwritten", "loss/held_out")]
    assert len(losses) - 1 - losses.index(min(losses)) == 4
    best = torch.load(outcome.folder / "checkpoints" / "best.pt")
    assert best["epoch"] <= outcome.epochs


@pytest.mark.parametrize("wrong", ["weight", "input", "target"])
def test_a_loss_that_is_not_finite_stops_it_with_the_layer(tmp_path: Path, wrong: str) -> None:
    broken = task()
    if wrong == "weight":
        with torch.no_grad():
            broken.network.linear2.weight[0, 0] = math.nan
    elif wrong == "input":
        broken.examples.x[3, 1] = math.nan
    else:
        broken.examples.target[3, 1] = math.nan
    words = {
        "weight": "The first parameter that is not finite is linear2.weight",
        "input": "The inputs themselves are not finite",
        "target": "All layers are finite: it is the loss itself",
    }[wrong]
    with pytest.raises(NotFiniteError, match=rf"at step \d+\. {words}.*--lr"):
        train(broken, settings(tmp_path))


def test_a_dry_run_takes_one_step_and_keeps_nothing(tmp_path: Path) -> None:
    outcome = trained(tmp_path, dry_run=True)
    assert outcome.epochs == 1
    assert list(tmp_path.iterdir()) == []


def test_the_network_that_was_given_stays_as_it_was(tmp_path: Path) -> None:
    own = task()
    before = copy.deepcopy(own.network.state_dict())
    train(own, settings(tmp_path, dtype=Dtype.FLOAT32))
    for name, x in own.network.state_dict().items():
        torch.testing.assert_close(x, before[name])


def test_norms_ratios_histograms_and_pace_are_logged(tmp_path: Path) -> None:
    outcome = trained(tmp_path)
    tags = outcome.scalars["handwritten"]
    for name in ("linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"):
        assert tags[f"gradient_norm/{name}"] > 0
        assert 0 < tags[f"update_ratio/{name}"] < 1
    assert tags["time/step_ms"] > 0
    assert tags["time/examples_per_s"] > 0


@pytest.mark.parametrize(
    ("log_every", "logged", "drawn"),
    [(1, range(25), range(0, 25, 2)), (4, range(0, 25, 4), range(0, 25, 4)), (50, [0, 24], [0])],
)
def test_log_points_and_histograms_are_as_far_apart_as_asked(
    tmp_path: Path, log_every: int, logged: Sequence[int], drawn: Sequence[int]
) -> None:
    outcome = trained(tmp_path, epochs=24, save_every=100, log_every=log_every, check_every=0)
    assert [step for step, _ in curve(outcome, "handwritten", LOSS)] == [*logged]
    events = EventAccumulator(str(outcome.folder / "handwritten"), size_guidance={"histograms": 0})
    found = events.Reload().Histograms("weight/linear1.weight")
    assert [each.step for each in found] == [*drawn]


@pytest.mark.cuda
@pytest.mark.parametrize("gradients", Gradients)
def test_on_cuda(tmp_path: Path, gradients: Gradients) -> None:
    outcome = trained(tmp_path, device="cuda", deterministic=True, gradients=[gradients])
    plain = by_hand(6, Optimizer.SGD, gradients)
    for mine, its in zip(outcome.models[gradients].parameters(), plain, strict=True):
        assert mine.is_cuda
        torch.testing.assert_close(mine.detach().cpu(), its, rtol=1e-9, atol=1e-11)
