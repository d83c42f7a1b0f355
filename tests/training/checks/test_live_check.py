import json
import math
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import torchref.nn as nn
from tests.training.small_task import curve, settings, task
from torchref.checker import Finding
from torchref.checker.diagnosis.diagnose import accuse
from torchref.ops import Sigmoid
from torchref.training import Examples, Gradients, Outcome, train
from torchref.training.checks.live_check import DIFFERENCE, VERDICT, relative_difference
from torchref.training.checks.verdict import Sweep, WithLoss
from torchref.training.log.display import in_words
from torchref.training.loop.loop import Loop


def test_it_is_the_largest_over_the_parameters() -> None:
    one = {"w": torch.tensor([[4.0, 1.0]]), "b": torch.tensor([0.0])}
    other = {"w": torch.tensor([[5.0, 1.0]]), "b": torch.tensor([0.0])}
    assert relative_difference(one, other) == 1 / 5
    assert relative_difference(one | {"b": torch.tensor([0.1])}, other) == math.inf
    assert relative_difference(one, one) == 0


def test_a_gradient_that_is_missing_is_infinitely_wrong() -> None:
    one = {"w": torch.ones(2)}
    assert relative_difference(one, one | {"b": torch.ones(1)}) == math.inf


BY_HAND = [Gradients.HANDWRITTEN, Gradients.SWEEP]


def test_a_sweep_is_weighed_with_the_gradient_of_its_loss_and_leaves_that_alone() -> None:
    sweep = Sweep(task().network.double(), nn.MSELoss())
    taped = WithLoss(sweep.network, nn.MSELoss())
    x, target = torch.randn(5, 4).double(), torch.rand(5, 2).double()
    parameters = list(sweep.network.parameters())
    grad_loss = torch.tensor(-1.7, dtype=torch.float64)
    kept = grad_loss.clone()
    swept, true = (
        torch.autograd.grad(loss(x, target), parameters, grad_loss) for loss in (sweep, taped)
    )
    torch.testing.assert_close(swept, true)
    assert torch.equal(grad_loss, kept)


def texts(outcome: Outcome, run: str) -> list[tuple[int, str]]:
    """What TensorBoard's TEXT page shows of the live checks, by epoch."""
    accumulator = EventAccumulator(str(outcome.folder / run), size_guidance={"tensors": 0})
    events = accumulator.Reload().Tensors("live_check/text_summary")
    return [(each.step, each.tensor_proto.string_val[0].decode()) for each in events]


def halved(right):
    def backward(ctx, grad_y):
        return right(ctx, grad_y) / 2

    return staticmethod(backward)


def test_right_gradients_are_right_at_every_check_and_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = train(task(), settings(tmp_path, gradients=list(Gradients)))
    for run in BY_HAND:
        assert curve(outcome, run, VERDICT) == [(epoch, 1.0) for epoch in range(1, 7)]
        ((epoch, text),) = texts(outcome, run)
        assert epoch == 1
        assert "right" in text
    assert VERDICT not in outcome.scalars["torch"]
    told = [line for line in capsys.readouterr().out.splitlines() if "Live check" in line]
    assert told == [f"Live checks of the {run} gradients: 30 right" for run in BY_HAND]
    record = json.loads((outcome.folder / "config.json").read_text())
    assert record["live_check"] == {"handwritten": "right", "sweep": "right"}


@pytest.mark.parametrize("gradients", BY_HAND)
def test_a_wrong_op_is_named_with_its_cause(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    gradients: Gradients,
) -> None:
    monkeypatch.setattr(Sigmoid, "backward", halved(Sigmoid.backward))
    network = nn.Sequential(nn.Linear(4, 3), nn.Sigmoid(), nn.Linear(3, 2))
    outcome = train(task(network), settings(tmp_path, gradients=[gradients]))
    assert curve(outcome, gradients, VERDICT) == [(epoch, -1.0) for epoch in range(1, 7)]
    assert outcome.scalars[gradients][DIFFERENCE] == pytest.approx(0.5)
    told = texts(outcome, gradients)
    assert len(told) == 1  # no news after that
    printed = capsys.readouterr().out
    assert printed.count(f"Live check of the {gradients} gradients by epoch 1: ") == 1
    for text in (told[0][1], printed):
        assert "wrong" in text
        assert "constant-factor in network.0" in text  # the layer below the sigmoid
        assert "[" in text  # the element
        assert " in network.2" not in text  # the layer above it learns rightly
    assert f"Live checks of the {gradients} gradients: 30 wrong, the first at step 0: " in printed
    record = json.loads((outcome.folder / "config.json").read_text())
    assert record["live_check"] == {gradients: "wrong"}


def test_the_cause_of_what_stays_wrong_is_sought_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may take seconds, and a training has thousands of steps."""
    monkeypatch.setattr(Sigmoid, "backward", halved(Sigmoid.backward))
    sought = []

    def counted(run: object, faults: object, diagnose: bool = True) -> list[Finding]:
        sought.append(diagnose)
        return accuse(run, faults, diagnose)

    monkeypatch.setattr("torchref.checker.session.accuse", counted)
    outcome = train(task(), settings(tmp_path))
    assert sought.count(True) == 1
    assert {value for _, value in curve(outcome, "handwritten", VERDICT)} == {-1.0}


def test_a_gradient_that_goes_wrong_on_the_way_is_told_when_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twenty steps are right: an error that only some weights bring about."""
    right, steps = Sigmoid.backward, 0

    def later(ctx, grad_y):
        return right(ctx, grad_y) * (1 if steps < 20 else 2)

    monkeypatch.setattr(Sigmoid, "backward", staticmethod(later))
    take_step = Loop.step

    def counted(loop: Loop, rows: torch.Tensor) -> None:
        nonlocal steps
        steps = loop.progress.step
        take_step(loop, rows)

    monkeypatch.setattr(Loop, "step", counted)
    outcome = train(task(), settings(tmp_path))
    assert [score for _, score in curve(outcome, "handwritten", VERDICT)] == [1] * 4 + [-1] * 2
    assert [epoch for epoch, _ in texts(outcome, "handwritten")] == [1, 5]
    told = capsys.readouterr().out
    assert "gradients: 10 wrong, the first at step 20: constant-factor in network." in told
    assert "; 20 right\n" in told


class Softsign(torch.autograd.Function):
    """x/(1 + |x|), times a factor where it goes back."""

    factor = 1.0

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x / (1 + x.abs())

    @classmethod
    def slope(cls, x):
        return cls.factor / (1 + x.abs()) ** 2

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * Softsign.slope(x)


class OfOnesOwn(torch.nn.Module):
    """A layer that torch has not."""

    def forward(self, x):
        return Softsign.apply(x)


@pytest.mark.parametrize(("factor", "score"), [(1.0, 1.0), (0.5, -1.0)])
def test_a_layer_that_torch_has_not_is_judged_by_differences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, factor: float, score: float
) -> None:
    monkeypatch.setattr(Softsign, "factor", factor)
    network = nn.Sequential(nn.Linear(4, 3), OfOnesOwn(), nn.Linear(3, 2))
    outcome = train(task(network), settings(tmp_path, gradients=[Gradients.HANDWRITTEN]))
    assert {value for _, value in curve(outcome, "handwritten", VERDICT)} == {score}
    assert DIFFERENCE not in outcome.scalars["handwritten"]
    assert "gradients by differences of the loss" in in_words(outcome.scalars["handwritten"])


@pytest.mark.slow
def test_the_cause_is_sought_again_where_other_parameters_are_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At first those below the sigmoid, and from the fourth epoch on those below the softsign."""
    right = Sigmoid.backward
    monkeypatch.setattr(Sigmoid, "backward", halved(Sigmoid.backward))
    take_step = Loop.step

    def counted(loop: Loop, batches: list[Examples]) -> None:
        if loop.progress.step == 15:
            monkeypatch.setattr(Sigmoid, "backward", staticmethod(right))
            monkeypatch.setattr(Softsign, "factor", 0.5)
        take_step(loop, batches)

    monkeypatch.setattr(Loop, "step", counted)
    layers = nn.Linear(4, 3), nn.Sigmoid(), nn.Linear(3, 3), OfOnesOwn(), nn.Linear(3, 2)
    by_hand = settings(tmp_path, gradients=[Gradients.HANDWRITTEN])
    told = texts(train(task(nn.Sequential(*layers)), by_hand), "handwritten")
    assert [epoch for epoch, _ in told] == [1, 4]
    assert ["network.2" in text for _, text in told] == [False, True]


def dropping() -> torch.nn.Module:
    return nn.Sequential(nn.Linear(4, 8), torch.nn.Dropout(0.5), nn.Sigmoid(), nn.Linear(8, 2))


def test_both_sides_draw_the_same_mask(tmp_path: Path) -> None:
    outcome = train(task(dropping()), settings(tmp_path, gradients=[Gradients.HANDWRITTEN]))
    assert outcome.scalars["handwritten"][DIFFERENCE] < 1e-12
    assert {value for _, value in curve(outcome, "handwritten", VERDICT)} == {1.0}


def test_contenders_draw_the_same_masks(tmp_path: Path) -> None:
    told = settings(tmp_path, gradients=[Gradients.HANDWRITTEN, Gradients.TORCH])
    scalars = train(task(dropping()), told).scalars
    losses = [scalars[run]["loss/train"] for run in ("handwritten", "torch")]
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


def test_gradients_that_are_nothing_but_roundings_count_as_nothing() -> None:
    one = {"w": torch.tensor([4.0, 1.0]), "b": torch.tensor([3e-7])}
    assert relative_difference(one, one | {"b": torch.tensor([-1e-7])}) == 0
    assert relative_difference(one | {"b": torch.tensor([3e-2])}, one) > 1e3


def test_the_training_draws_what_it_would_without_the_check(tmp_path: Path) -> None:
    losses = [
        train(
            task(dropping()),
            settings(tmp_path / str(every), gradients=[Gradients.HANDWRITTEN], check_every=every),
        ).scalars["handwritten"]["loss/train"]
        for every in (0, 1)
    ]
    assert losses[0] == losses[1]
