"""Two processes under torchrun against one: the same gradients, the same curve."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.small_task import rows


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def iris(logdir: Path, count: int, *options: str) -> subprocess.CompletedProcess[str]:
    """The script with batches of 7, which two processes cannot share evenly, nor the last of 1."""
    torchrun = ["-m", "torch.distributed.run", f"--nproc_per_node={count}"]
    torchrun += ["--master_addr=127.0.0.1", f"--master_port={free_port()}"]
    line = [sys.executable, *(torchrun if count > 1 else []), "-m", "experiments.iris"]
    line += ["--logdir", str(logdir), "--quiet", "--batch-size", "7", "--epochs", "6", *options]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def values(folder: Path) -> tuple[list[tuple[str, ...]], list[float]]:
    """What was logged, without the differences of the gradients, which are nothing but rounding."""
    _, *kept = [row for row in rows(folder) if "difference" not in row[2]]
    return [row[:3] for row in kept], [float(row[3]) for row in kept]


def test_two_processes_train_as_one(tmp_path: Path) -> None:
    one = iris(tmp_path, 1, "--run-name", "one")
    assert one.returncode == 0, one.stderr
    two = iris(tmp_path, 2, "--run-name", "two")
    assert two.returncode == 0, two.stderr
    (tags, alone), (same_tags, shared) = (values(tmp_path / "iris" / n) for n in ("one", "two"))
    assert tags == same_tags
    assert shared == pytest.approx(alone, rel=1e-9)
    assert two.stdout == one.stdout  # the first process alone speaks
    assert sorted(path.name for path in (tmp_path / "iris").iterdir()) == ["one", "two"]


def test_a_run_goes_on_with_another_number_of_processes(tmp_path: Path) -> None:
    assert iris(tmp_path, 1, "--run-name", "one", "--epochs", "9").returncode == 0
    assert iris(tmp_path, 1, "--run-name", "part", "--log-every", "1").returncode == 0
    line = ("--resume", "part", "--epochs", "9", "--log-every", "1")
    resumed = iris(tmp_path, 2, *line)
    assert resumed.returncode == 0, resumed.stderr
    (tags, alone), (same_tags, shared) = (values(tmp_path / "iris" / n) for n in ("one", "part"))
    assert tags == same_tags
    assert shared == pytest.approx(alone, rel=1e-9)


def test_the_sweep_says_that_it_trains_in_one_process(tmp_path: Path) -> None:
    refused = iris(tmp_path, 2, "--gradients", "sweep")
    assert refused.returncode != 0
    assert "The sweep trains in one process, but there are 2." in refused.stderr
