"""Two processes that would write one run."""

import errno
import fcntl
import os
import re
import signal
from pathlib import Path

import pytest
import torch

from tests.training.small_task import trained
from tests.warm_process import processes
from torchref.errors import InputError
from torchref.training.loop.loop import Loop
from torchref.training.run_folder.lock import locked

take_step = Loop.step


def hold(run: Path) -> None:
    with locked(run):
        (run / "held").touch()
        signal.pause()


def test_a_second_process_is_told_who_has_the_run_and_a_dead_one_has_it_no_more(
    tmp_path: Path,
) -> None:
    process = processes.Process(target=hold, args=(tmp_path,))
    process.start()
    while process.is_alive() and not (tmp_path / "held").exists():
        os.sched_yield()
    said = (
        "A run must be written by one process at a time, but process "
        rf"{process.pid} on \S+, since \d{{4}}-\d\d-\d\d \d\d:\d\d has {re.escape(str(tmp_path))}\."
    )
    try:
        with pytest.raises(InputError, match=said), locked(tmp_path):
            pass
    finally:
        process.kill()
        process.join()
    assert process.exitcode == -signal.SIGKILL
    with locked(tmp_path):
        pass


def test_a_training_has_it_while_it_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = []

    def steal(loop: Loop, rows: torch.Tensor) -> None:
        take_step(loop, rows)
        try:
            trained(tmp_path, resume="part")
        except InputError as error:
            refused.append(str(error))

    monkeypatch.setattr(Loop, "step", steal)
    trained(tmp_path, run_name="part", epochs=1)
    assert len(refused) == 5
    assert all(f"process {os.getpid()} on" in each for each in refused)


def test_the_lock_ends_with_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        raise ZeroDivisionError
    with locked(tmp_path):
        pass


def test_a_run_that_another_process_has_is_not_gone_on_with(tmp_path: Path) -> None:
    record = trained(tmp_path, run_name="part", epochs=2).folder / "config.json"
    before = record.read_bytes()
    said = r"process \d+ on .* has .*part\. Wait until"
    with locked(record.parent), pytest.raises(InputError, match=said):
        trained(tmp_path, resume="part", epochs=4)
    assert record.read_bytes() == before


def test_a_file_system_without_locks_is_told_and_no_hindrance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none_here(*_: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", none_here)
    with locked(tmp_path):
        pass
    assert "cannot be locked (Function not implemented): no other" in capsys.readouterr().out


def test_a_folder_that_takes_no_file_is_one_message(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match=r"cannot be: No such file.*--logdir"),
        locked(tmp_path / "nowhere"),
    ):
        pass
