"""One's own loader, optimiser, schedule and callbacks: as a plain loop has it, and bit for bit."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR

import torchref.nn as nn
from tests.slow import few_of
from tests.training.own_task import (
    Own,
    batches,
    loader,
    one_cycle,
    plain_loader,
    rmsprop,
    trained,
    with_dropout,
)
from tests.training.small_task import (
    asked_to_stop_in_step_12,
    curve,
    examples,
    rows,
    settings,
    task,
)
from torchref.training import Dtype, Gradients, LogPoint, Optimizer, Outcome, Schedule, Task, train
from torchref.training.loop.loop import Loop
from torchref.training.process.stopping import Interrupted

LOSS = "loss/train"
WAYS: dict[str, dict[str, Any]] = {
    "adamw": {"optimizer": "adamw", "weight_decay": 0.1},
    "schedule": {"schedule": "cosine", "optimizer": "momentum"},
    "clipped": {"clip_norm": 0.05, "schedule": "warmup-cosine"},
    "accumulated": {"accumulate": 2, "batch_size": 2, "gradients": list(Gradients)[::2]},
    "swept": {"accumulate": 2, "batch_size": 2, "gradients": "sweep", "clip_norm": 0.1},
    "autocast": {"autocast": True, "dtype": "float32", "accumulate": 2, "batch_size": 2},
    "own": {"own": {"optimizer": rmsprop, "schedule": one_cycle}},
    "loader": {"data": loader},
    "loader, accumulated": {"data": loader, "accumulate": 2, "epochs": 8},
    "loader with a generator": {"data": lambda: loader(generator=torch.Generator())},
    "loader with a process": {"data": lambda: loader(num_workers=1)},
}


@pytest.mark.parametrize("way", few_of(WAYS))
def test_an_interrupted_run_goes_on_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    def run(**how: Any) -> Outcome:
        changes = WAYS[way] | how
        data = changes.pop("data", None)
        return trained(tmp_path, data and data(), **changes)

    whole = run(run_name="whole")
    with monkeypatch.context() as patch:
        patch.setattr(Loop, "step", asked_to_stop_in_step_12)
        with pytest.raises(Interrupted):
            run(run_name="part")
    resumed = run(resume="part")
    assert rows(resumed.folder) == rows(whole.folder)
    for name, model in whole.models.items():
        for mine, its in zip(model.parameters(), resumed.models[name].parameters(), strict=True):
            assert torch.equal(mine, its)


def weights(outcome: Outcome) -> Tensor:
    return torch.cat([p.detach().flatten() for p in outcome.model.parameters()])


@pytest.mark.parametrize("gradients", Gradients)
@pytest.mark.parametrize("loss", [nn.MSELoss(), nn.MSELoss(reduction="sum")], ids=["mean", "sum"])
def test_accumulated_batches_are_one_batch(tmp_path: Path, gradients: str, loss: Any) -> None:
    """The last step of an epoch is of 23 − 2 · 8 examples: a batch of 4, and one of 3."""
    ends = []
    for size, count in ((8, 1), (4, 2)):
        changes = {"batch_size": size, "accumulate": count, "gradients": gradients, "lr": 0.01}
        own = Task("small", task().network, loss, examples())
        outcome = train(own, settings(tmp_path, **changes))
        assert outcome.steps == 6 * 3
        difference = outcome.scalars[gradients].get("gradients/relative_difference", 0.0)
        assert difference < 1e-12
        ends.append(weights(outcome))
    torch.testing.assert_close(*ends, rtol=1e-10, atol=1e-12)


def by_hand(data: Any, make: Callable[[Any], Any], after: Callable[[Any], Any]) -> Tensor:
    """Six epochs of a loader's batches in a plain loop of torch's."""
    model = task().network.double()
    optimizer = make(model)
    step = after(optimizer)
    for epoch in data:
        for x, target in epoch:
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(model(x), target).backward()
            step(model)
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.mark.parametrize(
    ("changes", "schedule"),
    [
        ({"schedule": "linear"}, lambda o: LinearLR(o, 1.0, 0.0, total_iters=30)),
        ({"schedule": "cosine"}, lambda o: CosineAnnealingLR(o, T_max=30)),
        ({"own": one_cycle}, one_cycle),
    ],
    ids=["linear", "cosine", "own"],
)
def test_a_schedule_goes_as_torchs(tmp_path: Path, changes: Any, schedule: Any) -> None:
    def after(optimizer: Any) -> Callable[[Any], None]:
        rate = schedule(optimizer)

        def step(_: Any) -> None:
            optimizer.step()
            rate.step()

        return step

    own = changes.pop("own", None)
    told = settings(tmp_path, batch_size=None, lr=0.5, **changes)
    outcome = train(Task("small", task().network, nn.MSELoss(), batches()), told, schedule=own)
    plain = by_hand([batches()] * 6, lambda m: torch.optim.SGD(m.parameters(), 0.5), after)
    torch.testing.assert_close(weights(outcome), plain, rtol=1e-9, atol=1e-11)
    rates = [value for _, value in curve(outcome, "handwritten", "lr")]
    assert rates[-1] < 0.6 * max(rates)


def test_clipping_and_own_optimiser_go_as_in_a_plain_loop(tmp_path: Path) -> None:
    def after(optimizer: Any) -> Callable[[Any], None]:
        def step(model: Any) -> None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), 0.05)
            optimizer.step()

        return step

    own = Task("small", task().network, nn.MSELoss(), batches())
    told = settings(tmp_path, batch_size=None, clip_norm=0.05)
    outcome = train(own, told, optimizer=rmsprop)
    plain = by_hand([batches()] * 6, rmsprop, after)
    torch.testing.assert_close(weights(outcome), plain, rtol=1e-9, atol=1e-11)
    scalars = outcome.scalars["handwritten"]
    assert 0 < scalars["clipped_share"] <= 1
    norms = [value for tag, value in scalars.items() if tag.startswith("gradient_norm/")]
    assert torch.tensor(norms).norm() > 0.05  # as they were found
    assert scalars["gradients/relative_difference"] < 1e-12


def test_the_order_of_a_loader_is_the_seeds(tmp_path: Path) -> None:
    def seen(seed: int) -> list[list[float]]:
        shown: list[list[float]] = []

        class Watched(torch.nn.Identity):
            def forward(self, x: Tensor) -> Tensor:
                if self.training:
                    shown.append(x[:, 0].tolist())
                return x

        own = with_dropout(plain_loader())
        own.network.insert(0, Watched())
        train(own, settings(tmp_path, batch_size=None, epochs=2, seed=seed, check_every=0))
        return shown

    one, other = seen(3), seen(4)
    assert one == seen(3) != other
    first, second = (sorted(x for batch in part for x in batch) for part in (one[:5], one[5:]))
    assert one[:5] != one[5:]
    assert first == second == sorted(examples().x[:, 0].tolist())


def test_what_a_loader_draws_changes_nothing_of_the_training(tmp_path: Path) -> None:
    class Drawing(list[Any]):
        def __iter__(self) -> Any:
            for batch in list.__iter__(self):
                torch.rand(3)
                yield batch

    ends = [weights(trained(tmp_path, kind(batches()))) for kind in (list, Drawing)]
    assert torch.equal(*ends)


def test_a_callback_logs_and_stops_and_changes_nothing(tmp_path: Path) -> None:
    points: list[LogPoint] = []

    def norm(point: LogPoint) -> dict[str, float]:
        assert not point.model.training
        torch.rand(5)
        points.append(point)
        if point.epoch == 4:
            point.stop()
        return {"my/norm": point.model[0].weight.norm().item()}

    with_one = trained(tmp_path, own={"callbacks": norm}, run_name="with")
    assert (with_one.ended_by, with_one.epochs, with_one.steps) == ("callback", 4, 20)
    assert [point.step for point in points] == [0, 5, 10, 15, 20]
    assert points[-1].scalars[LOSS] == with_one.scalars["handwritten"][LOSS]
    assert [step for step, _ in curve(with_one, "handwritten", "my/norm")] == list(range(5))
    without = trained(tmp_path, epochs=4, run_name="without")
    logged = [row for row in rows(with_one.folder) if row[2] != "my/norm"]
    assert logged == rows(without.folder)
    resumed = trained(tmp_path, own={"callbacks": [norm]}, resume="with")
    assert (resumed.ended_by, resumed.epochs) == ("epochs", 6)


def test_the_live_check_sees_a_wrong_function_in_ones_own_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = Task("own", Own(), torch.nn.functional.mse_loss, plain_loader())
    told = settings(tmp_path, batch_size=None, epochs=1, accumulate=2, dtype=Dtype.FLOAT32)
    outcome = train(own, told)
    assert outcome.scalars["handwritten"]["gradients/verdict"] == -1
    assert "in network.first.weight" in capsys.readouterr().out
    assert torch.equal(outcome.model.frozen.weight, own.network.frozen.weight)


def test_the_settings_rate_warms_up_and_falls(tmp_path: Path) -> None:
    told = {"schedule": Schedule.WARMUP_COSINE, "optimizer": Optimizer.ADAMW, "epochs": 10}
    outcome = trained(tmp_path, **told, lr=0.2, batch_size=23)
    rates = [value for _, value in curve(outcome, "handwritten", "lr")]
    assert max(rates) == pytest.approx(0.2)
    assert rates[-1] == 0
    assert all(later <= rate for rate, later in pairwise(rates[1:]))
