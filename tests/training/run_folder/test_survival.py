"""Runs that are ended from outside, in processes of their own, and go on as if nothing had been."""

import os
import random
import re
import resource
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.small_task import BOTH, rows, trained
from tests.warm_process import begin, processes
from tests.warm_process import run as run_script
from torchref.training import Optimizer
from torchref.training.run_folder.checkpoint import Checkpoints

EPOCHS = 60


def run(logdir: Path, **changes: Any) -> None:
    trained(
        logdir, epochs=EPOCHS, optimizer=Optimizer.ADAM, gradients=BOTH, save_every=1, **changes
    )


def go_on(logdir: Path) -> None:
    """As a user would: resume where there is a checkpoint, and else start anew."""
    folder = logdir / "small" / "part"
    if list(folder.glob("checkpoints/*.pt")):
        run(logdir, resume="part")
    else:
        shutil.rmtree(folder, ignore_errors=True)
        run(logdir, run_name="part")


@contextmanager
def started(logdir: Path) -> Iterator[BaseProcess]:
    process = processes.Process(target=go_on, args=(logdir,))
    process.start()
    try:
        yield process
    finally:
        process.join(120)


def wait_until_it_writes(logdir: Path, process: BaseProcess, since: int) -> None:
    """Until a run logs or saves something after the moment `since`."""
    folder = logdir / "small" / "part"
    while process.is_alive():
        files = [*folder.glob("metrics.csv"), *folder.glob("checkpoints/last.pt")]
        if any(file.stat().st_mtime_ns > since for file in files if file.exists()):
            return
        time.sleep(0.001)


@pytest.mark.slow
def test_killed_at_twenty_moments_it_ends_as_if_undisturbed(tmp_path: Path) -> None:
    run(tmp_path, run_name="whole")
    draw, kills = random.Random(0), 0
    folder = tmp_path / "small" / "part"
    while kills < 20:
        with started(tmp_path) as process:
            wait_until_it_writes(tmp_path, process, time.time_ns())
            if kills % 2:  # in the middle of a checkpoint, as near as can be
                while process.is_alive() and not list(folder.glob("checkpoints/*.partial")):
                    pass
            else:
                time.sleep(draw.uniform(0, 0.03))
            process.kill()
        assert process.exitcode == -signal.SIGKILL, "it ended before twenty kills: more epochs"
        kills += 1
        if list(folder.glob("checkpoints/*.pt")):
            Checkpoints(folder).load()
    with started(tmp_path) as process:
        pass
    assert process.exitcode == 0
    assert_as_if_undisturbed(tmp_path)


def assert_as_if_undisturbed(logdir: Path) -> None:
    whole, part = (logdir / "small" / name for name in ("whole", "part"))
    assert rows(part) == rows(whole)
    one, other = (Checkpoints(folder).load()["contenders"] for folder in (whole, part))
    assert one.keys() == other.keys()
    for name in one:
        for key, x in one[name]["model"].items():
            assert torch.equal(x, other[name]["model"][key])


IRIS = ["experiments.iris", "--quiet", "--batch-size", "8", "--epochs", "400", "--lr", "0.001"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, ...]]:
    logdir = tmp_path_factory.mktemp("undisturbed")
    assert run_script(*IRIS, "--logdir", logdir, "--run-name", "whole").returncode == 0
    return rows(logdir / "iris" / "whole")


@pytest.mark.slow
@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_saves_and_goes_on(
    tmp_path: Path, asked: signal.Signals, undisturbed: list[tuple[str, ...]]
) -> None:
    first = begin(*IRIS, "--logdir", tmp_path, "--run-name", "part")
    table = tmp_path / "iris" / "part" / "metrics.csv"
    while first.process.is_alive() and not (table.exists() and "\n5," in table.read_text()):
        time.sleep(0.01)
    assert first.process.pid is not None
    os.kill(first.process.pid, asked)
    ended = first.end()
    assert ended.returncode == 128 + asked
    said = (
        r"\nStops after the step in hand, and saves; .*\n"
        r"Stopped as asked at epoch \d+, step \d+; all is saved\. "
        r"Go on with --resume part, or Settings\(resume='part'\) and the same call\n"
    )
    assert re.fullmatch(said, ended.stderr)
    assert run_script(*IRIS, "--logdir", tmp_path, "--resume", "part").returncode == 0
    assert rows(tmp_path / "iris" / "part") == undisturbed


def limited(logdir: Path, limit: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        trained(logdir, epochs=6, resume="part")
    except ValueError as error:
        (logdir / "message").write_text(str(error))
        os._exit(2)


def test_a_disk_that_takes_no_more_ends_it_with_the_checkpoint_before(tmp_path: Path) -> None:
    folder = trained(tmp_path, epochs=2, run_name="part").folder
    limit = (folder / "checkpoints" / "last.pt").stat().st_size - 1
    process = processes.Process(target=limited, args=(tmp_path, limit))
    process.start()
    process.join(60)
    assert process.exitcode == 2
    message = (tmp_path / "message").read_text()
    assert "A run needs room for what it logs and saves" in message
    assert "--resume part" in message
    assert Checkpoints(folder).load()["epoch"] == 2
    assert '"status": "failed"' in (folder / "config.json").read_text()
    assert trained(tmp_path, epochs=6, resume="part").epochs == 6
