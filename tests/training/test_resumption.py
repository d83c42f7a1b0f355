"""How a run goes on where it was interrupted, or beyond its end."""

from pathlib import Path
from typing import Any

import pytest
import torch

import torchref.nn as nn
from tests.training.small_task import (
    BOTH,
    asked_to_stop_in_step_12,
    curve,
    rows,
    settings,
    task,
    trained,
)
from torchref.errors import InputError
from torchref.training import Gradients, Optimizer, train
from torchref.training.loop.loop import Loop
from torchref.training.process.stopping import Interrupted

LOSS = "loss/train"


@pytest.mark.parametrize("gradients", [BOTH, [Gradients.SWEEP]], ids=str)
def test_an_interrupted_run_goes_on_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gradients: list[Gradients]
) -> None:
    changes: dict[str, Any] = {"optimizer": Optimizer.ADAM, "gradients": gradients}
    whole = trained(tmp_path, run_name="whole", **changes)
    with monkeypatch.context() as patch:
        patch.setattr(Loop, "step", asked_to_stop_in_step_12)
        with pytest.raises(Interrupted, match=r"epoch 2, step 12.*--resume part") as stop:
            trained(tmp_path, run_name="part", **changes)
    assert stop.value.exit_status == 143
    resumed = trained(tmp_path, resume="part", **changes)
    assert resumed.folder == tmp_path / "small" / "part"
    assert rows(resumed.folder) == rows(whole.folder)
    for name, model in whole.models.items():
        for mine, its in zip(model.parameters(), resumed.models[name].parameters(), strict=True):
            assert torch.equal(mine, its)
        steps = [step for step, _ in curve(resumed, name, LOSS)]
        assert steps == list(range(7))


@pytest.mark.parametrize("log_every", [1, 4])
def test_a_finished_run_goes_on_to_more_epochs(tmp_path: Path, log_every: int) -> None:
    often: dict[str, Any] = {"log_every": log_every, "save_every": 4}
    whole = trained(tmp_path, epochs=9, run_name="whole", **often)
    trained(tmp_path, epochs=6, run_name="part", **often)
    resumed = trained(tmp_path, epochs=9, resume="part", **often)
    assert rows(resumed.folder) == rows(whole.folder)


def test_steps_end_it_within_an_epoch_and_it_goes_on_bit_for_bit(tmp_path: Path) -> None:
    """An epoch has five steps."""
    parts = [
        trained(tmp_path, epochs=None, steps=steps, early_stop=9, **how)
        for steps, how in ((12, {"run_name": "part"}), (32, {"resume": "part"}))
    ]
    whole = trained(tmp_path, epochs=None, steps=32, early_stop=9, run_name="whole")
    assert [(each.epochs, each.steps, each.ended_by) for each in (*parts, whole)] == [
        (2, 12, "steps"),
        (6, 32, "steps"),
        (6, 32, "steps"),
    ]
    assert rows(parts[-1].folder) == rows(whole.folder)
    assert [step for step, _ in curve(whole, "handwritten", LOSS)] == list(range(8))
    assert "update_ratio/linear1.weight" in whole.scalars["handwritten"]
    models = [each.models["handwritten"].parameters() for each in (parts[-1], whole)]
    assert all(torch.equal(mine, its) for mine, its in zip(*models, strict=True))


def test_a_run_with_nothing_left_to_do_tells_its_results_again(tmp_path: Path) -> None:
    for end in ({"epochs": 6}, {"epochs": None, "steps": 12}):
        first = trained(tmp_path, run_name=f"run{end['epochs']}", **end)
        logged = rows(first.folder)
        again = trained(tmp_path, resume=first.folder.name, **end)
        assert again.scalars["handwritten"][LOSS] == first.scalars["handwritten"][LOSS]
        assert (again.epochs, again.steps) == (first.epochs, first.steps)
        assert rows(first.folder) == logged


def test_another_network_does_not_go_on_and_the_record_stays(tmp_path: Path) -> None:
    record = trained(tmp_path, run_name="part").folder / "config.json"
    before = record.read_bytes()
    with pytest.raises(InputError, match=r"network that goes on.*size mismatch.*\[5, 4\]"):
        train(task(nn.SigmoidNetwork((4, 5, 2))), settings(tmp_path, resume="part"))
    assert record.read_bytes() == before


def test_one_of_several_runs_is_begun_where_an_earlier_one_goes_on(tmp_path: Path) -> None:
    trained(tmp_path, run_name="several_s0", epochs=2)
    several = settings(tmp_path, resume="several", epochs=4)
    for seed in (0, 1):
        outcome = train(task(), several.member(seed), begin_missing=seed > 0)
        assert outcome.folder == tmp_path / "small" / f"several_s{seed}"
        assert outcome.epochs == 4
    with pytest.raises(InputError, match="must name a run of small"):
        train(task(), several.member(2))
