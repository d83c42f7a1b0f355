"""A run remembers to what end it was begun, and what became of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.training.small_task import rows, settings, task, trained
from torchref.errors import InputError
from torchref.training import train
from torchref.training.loop.loop import Loop
from torchref.training.process.stopping import Interrupted

LOSS = "loss/train"
NO_END: dict[str, Any] = {"epochs": None}
take_step = Loop.step


def interrupted_in(
    step: int, monkeypatch: pytest.MonkeyPatch, logdir: Path, **changes: Any
) -> Path:
    def stop(loop: Loop, rows: Any) -> None:
        take_step(loop, rows)
        if loop.progress.step == step:
            loop.request.number = 2

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "step", stop)
        with pytest.raises(Interrupted):
            trained(logdir, run_name="part", **changes)
    return logdir / "small" / "part"


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a run, but the lock."""
    files = (file for file in folder.rglob("*") if file.is_file() and file.name != "lock")
    return {str(file): file.read_bytes() for file in files}


@pytest.mark.parametrize("end", [{"epochs": 4}, {"epochs": None, "steps": 17}], ids=str)
def test_it_goes_on_to_the_end_with_which_it_was_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: dict[str, Any]
) -> None:
    whole = trained(tmp_path, run_name="whole", **end)
    part = interrupted_in(7, monkeypatch, tmp_path, **end)
    resumed = trained(tmp_path, resume="part", **NO_END)
    assert (resumed.epochs, resumed.steps) == (whole.epochs, whole.steps)
    assert resumed.ended_by == whole.ended_by
    assert rows(part) == rows(whole.folder)


@pytest.mark.parametrize(
    ("end", "asked", "said"),
    [
        ({"epochs": 6}, NO_END, "6 epochs, 30 steps behind it, and these were all. --epochs above"),
        ({"epochs": 6}, {"epochs": 4}, "and it was to have 4 epochs. More of --epochs goes on."),
        ({"epochs": None, "steps": 12}, NO_END, "and these were all. --steps above 12 goes on."),
    ],
)
def test_where_nothing_is_left_to_do_it_says_so_and_changes_no_file(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    end: dict[str, Any],
    asked: dict[str, Any],
    said: str,
) -> None:
    first = trained(tmp_path, run_name="part", **end)
    before = contents(first.folder)
    again = trained(tmp_path, resume="part", **asked)
    assert (again.epochs, again.steps, again.ended_by) == (
        first.epochs,
        first.steps,
        first.ended_by,
    )
    assert again.scalars["handwritten"][LOSS] == first.scalars["handwritten"][LOSS]
    assert contents(first.folder) == before
    told = capsys.readouterr().out.splitlines()[-1]
    assert told.startswith(f"Nothing is left to do: {first.folder} has ")
    assert said in told


def test_patience_and_the_threshold_leave_nothing_to_do_either(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    goal = 0.99 * trained(tmp_path, epochs=1).scalars["handwritten"][LOSS]
    for name, changes, threshold, reason in (
        ("near", {}, goal, "its loss is below the threshold"),
        ("stuck", {"early_stop": 2, "lr": 1e-30}, 0.0, "its held-out loss improves no more"),
    ):
        first = train(
            task(), settings(tmp_path, run_name=name, epochs=50, **changes), threshold=goal
        )
        assert first.epochs < 50
        before = contents(first.folder)
        again = settings(tmp_path, resume=name, epochs=50, **changes)
        assert train(task(), again, threshold=threshold).ended_by == first.ended_by
        assert contents(first.folder) == before
        assert reason in capsys.readouterr().out


def test_a_finished_run_may_be_cross_checked_and_keeps_its_record(tmp_path: Path) -> None:
    folder = trained(tmp_path, run_name="part").folder
    before = json.loads((folder / "config.json").read_text())
    trained(tmp_path, resume="part", crosscheck=True, epochs=2)
    after = json.loads((folder / "config.json").read_text())
    assert after.pop("crosscheck") == "right"
    assert after == before
    assert after["epochs"] == 6
    assert after["live_check"] == {"handwritten": "right"}


def test_the_record_of_the_way_so_far_is_kept(tmp_path: Path) -> None:
    for epochs, how in (
        (2, {"run_name": "part"}),
        (3, {"resume": "part"}),
        (4, {"resume": "part"}),
    ):
        folder = trained(tmp_path, epochs=epochs, **how).folder
    record = json.loads((folder / "config.json").read_text())
    assert (record["epochs"], record["status"]) == (4, "finished")
    assert [each["epochs"] for each in record["before"]] == [2, 3]
    assert all(each["status"] == "finished" and each["command"] for each in record["before"])
    assert "settings" not in record["before"][0]


def test_an_experiments_own_options_are_the_runs(tmp_path: Path) -> None:
    trained(tmp_path, run_name="part", epochs=2, own={"length": 64, "text": "a"})
    with pytest.raises(InputError, match=r"but part has --length 64, and --length 32 arrived\."):
        trained(tmp_path, resume="part", epochs=4, own={"length": 32, "text": "a"})
    assert trained(tmp_path, resume="part", epochs=4, own={"length": 64, "text": "a"}).epochs == 4


def test_one_of_several_that_is_missing_begins_with_the_end_of_its_settings(tmp_path: Path) -> None:
    trained(tmp_path, run_name="several_s0", epochs=2)
    several = settings(tmp_path, resume="several", epochs=3, own_end=True)
    ends = [train(task(), several.member(n), begin_missing=n > 0).epochs for n in (0, 1)]
    assert ends == [2, 3]
