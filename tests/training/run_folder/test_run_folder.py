import json
import re
from pathlib import Path

import pytest

from torchref.errors import InputError
from torchref.training.run_folder.run_folder import NoRunError, RunFolder, dated


def created(logdir: Path, name: str = "a") -> RunFolder:
    return RunFolder.create(logdir, "iris", name, {"lr": 0.1, "seed": 3})


def test_the_name_says_when_what_and_which_seed(tmp_path: Path) -> None:
    folder = created(tmp_path / "new" / "runs", dated("lr0.1_e5", seed=3))
    assert folder.path.parent == tmp_path / "new" / "runs" / "iris"
    assert re.fullmatch(r"\d{8}-\d{6}_lr0\.1_e5_s3", folder.path.name)


def test_no_folder_is_given_out_twice(tmp_path: Path) -> None:
    assert [created(tmp_path).path.name for _ in range(3)] == ["a", "a-2", "a-3"]


@pytest.mark.parametrize("below", ["a_file", "a_file/runs"])
def test_a_log_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path, below: str) -> None:
    (tmp_path / "a_file").write_text("in the way")
    with pytest.raises(InputError, match=r"cannot be made: Not a directory.*--logdir"):
        created(tmp_path / below)


def test_the_record_says_with_what_and_how_it_ended(tmp_path: Path) -> None:
    folder = created(tmp_path)
    folder.mark("finished")
    record = json.loads((folder.path / "config.json").read_text())
    assert record["settings"] == {"lr": 0.1, "seed": 3}
    assert record["status"] == "finished"
    assert {"command", "torch", "python", "threads", "commit", "dirty"} <= record.keys()
    assert (record["commit"] is None) == (record["dirty"] is None)


def test_without_git_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert created(tmp_path).record["commit"] is None


@pytest.mark.parametrize("named", ["b", "latest", "path"])
def test_a_run_is_reopened_by_name_path_or_as_the_latest(tmp_path: Path, named: str) -> None:
    first, second = created(tmp_path, "a"), created(tmp_path, "b")
    second.mark("interrupted")
    run = str(second.path) if named == "path" else named
    again = RunFolder.reopen(tmp_path, "iris", run, {"lr": 0.1, "seed": 3})
    assert again.path == second.path != first.path


def test_the_latest_is_the_latest_of_that_seed(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 4), ("c", 3), ("d", 4)):
        RunFolder.create(tmp_path, "iris", name, {"seed": seed})
    assert RunFolder.reopen(tmp_path, "iris", "latest", {"seed": 3}).path.name == "c"
    with pytest.raises(NoRunError, match="'latest' arrived, and seed 5 has none"):
        RunFolder.reopen(tmp_path, "iris", "latest", {"seed": 5})


def test_a_run_of_another_experiment_is_not_gone_on_with(tmp_path: Path) -> None:
    folder = created(tmp_path)
    with pytest.raises(InputError, match=r"a run of digits, but .* is one of iris\. Go on"):
        RunFolder.reopen(tmp_path, "digits", str(folder.path), {"lr": 0.1, "seed": 3})


def test_other_settings_would_make_another_curve(tmp_path: Path) -> None:
    created(tmp_path)
    said = (
        "A run goes on with the settings that it began with, but a has --lr 0.1, and --lr 0.2 "
        "arrived. Give --resume a --lr 0.1 in place of that; without --resume a new run begins."
    )
    with pytest.raises(InputError, match=re.escape(said)):
        RunFolder.reopen(tmp_path, "iris", "a", {"lr": 0.2, "seed": 3})
    said = "a has no --width, and --width 8 arrived. Give --resume a in place"
    with pytest.raises(InputError, match=re.escape(said)):
        RunFolder.reopen(tmp_path, "iris", "a", {"lr": 0.1, "seed": 3, "width": 8})


@pytest.mark.parametrize("broken", ["", "{}", "[]", "no json"])
def test_a_folder_without_a_run_is_refused(tmp_path: Path, broken: str) -> None:
    created(tmp_path, "good")
    (created(tmp_path, "bad").path / "config.json").write_text(broken)
    with pytest.raises(InputError, match=r"'bad' arrived, whose config\.json cannot be read"):
        RunFolder.reopen(tmp_path, "iris", "bad", {"lr": 0.1, "seed": 3})
    with pytest.raises(InputError, match="'nothing' arrived"):
        RunFolder.reopen(tmp_path, "iris", "nothing", {})
