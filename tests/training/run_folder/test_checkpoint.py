from pathlib import Path
from typing import Any

import pytest
import torch

from torchref.errors import InputError
from torchref.training.run_folder.checkpoint import Checkpoints


def state(epoch: int) -> dict[str, Any]:
    return {"epoch": epoch, "weight": torch.full((3, 2), float(epoch)), "least": 0.5}


def saved(run: Path, *epochs: int) -> Checkpoints:
    checkpoints = Checkpoints(run)
    for epoch in epochs:
        checkpoints.save(state(epoch), best=epoch == 2)
    return checkpoints


def test_last_previous_and_best_are_kept(tmp_path: Path) -> None:
    checkpoints = saved(tmp_path, 1, 2, 3, 4)
    assert checkpoints.load()["epoch"] == 4
    assert torch.load(checkpoints.previous)["epoch"] == 3
    assert torch.load(checkpoints.best)["epoch"] == 2
    assert sorted(file.name for file in checkpoints.folder.iterdir()) == [
        "best.pt",
        "last.pt",
        "previous.pt",
    ]


@pytest.mark.parametrize("damage", ["cut short", "emptied", "foreign", "other dict", "gone"])
def test_the_one_before_is_used_where_the_last_cannot_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    checkpoints = saved(tmp_path, 1, 2)
    whole = checkpoints.last.read_bytes()
    checkpoints.last.unlink()
    match damage:
        case "cut short":
            checkpoints.last.write_bytes(whole[: len(whole) // 2])
        case "emptied":
            checkpoints.last.touch()
        case "foreign":
            checkpoints.last.write_text("not a checkpoint at all")
        case "other dict":
            torch.save({"weight": torch.zeros(2)}, checkpoints.last)
    assert checkpoints.load()["epoch"] == 1
    message = capsys.readouterr().out
    assert "last.pt must be a whole checkpoint of a run, but" in message
    assert message.endswith("The one before it is used.\n")


def test_nothing_to_load_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has none that can be read"):
        Checkpoints(tmp_path).load()


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    class Planted:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "was run",)

    checkpoints = Checkpoints(tmp_path)
    torch.save({"format": "torchref checkpoint 5", "planted": Planted()}, checkpoints.last)
    with pytest.raises(InputError, match="cannot be read"):
        checkpoints.load()
    assert not (tmp_path / "was run").exists()


def test_a_disk_that_takes_no_more_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints = saved(tmp_path, 1)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoints.save(state(2))
    assert checkpoints.load()["epoch"] == 1
    assert not list(checkpoints.folder.glob("*.partial"))


def test_what_a_killed_process_left_half_written_is_cleared_away(tmp_path: Path) -> None:
    partial = saved(tmp_path, 1).folder / "last.pt.x.partial"
    partial.write_bytes(b"half")
    assert Checkpoints(tmp_path).load()["epoch"] == 1
    assert not partial.exists()
