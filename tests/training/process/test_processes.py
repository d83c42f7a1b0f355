"""Several processes under torchrun against one: the same gradients, the same curve."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.small_task import rows
from tests.warm_process import SECONDS, Ended, begin
from torchref.training.process.distribution import Processes

NINE = ("--run-name", "run", "--epochs", "9", "--log-every", "1")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def line_of(logdir: Path, *options: str) -> list[str]:
    """The script with batches of 7, and a last one of 1: two and three share neither evenly."""
    line = ["experiments.iris", "--logdir", str(logdir), "--quiet", "--batch-size", "7"]
    return [*line, "--epochs", "6", *options]


def by_torchrun(logdir: Path, count: int, *options: str) -> subprocess.CompletedProcess[str]:
    torchrun = ["-m", "torch.distributed.run", f"--nproc_per_node={count}"]
    torchrun += ["--master_addr=127.0.0.1", f"--master_port={free_port()}"]
    line = [sys.executable, *torchrun, "-m", *line_of(logdir, *options)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def iris(logdir: Path, count: int, *options: str) -> Ended:
    """With what torchrun tells each process; the others end with the first, as torchrun's do."""
    where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port(), "WORLD_SIZE": count}
    several = [
        begin(*line_of(logdir, *options), **where, RANK=rank, LOCAL_RANK=rank)
        if count > 1
        else begin(*line_of(logdir, *options))
        for rank in range(count)
    ]
    first = several[0].end()
    for other in several[1:]:
        ended = other.end(SECONDS if first.returncode == 0 else 0)
        errors = f"{first.stderr}\n{ended.stderr}"
        assert (ended.stdout, ended.returncode == 0) == ("", first.returncode == 0), errors
    return first


def values(folder: Path) -> tuple[list[tuple[str, ...]], list[float]]:
    """What was logged, without the differences of the gradients, which are nothing but rounding."""
    _, *kept = [row for row in rows(folder) if "difference" not in row[2]]
    return [row[:3] for row in kept], [float(row[3]) for row in kept]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Nine epochs in one process: the folder, and what it said."""
    logdir = tmp_path_factory.mktemp("alone")
    ended = iris(logdir, 1, *NINE)
    assert ended.returncode == 0, ended.stderr
    return logdir / "iris" / "run", ended.stdout


@pytest.mark.parametrize(
    ("started", "count"), [pytest.param(by_torchrun, 2, marks=pytest.mark.slow), (iris, 3)]
)
def test_several_processes_train_as_one(
    tmp_path: Path, alone: tuple[Path, str], started: Callable[..., Any], count: int
) -> None:
    several = started(tmp_path, count, *NINE)
    assert several.returncode == 0, several.stderr
    folder, told = alone
    (tags, one), (same_tags, shared) = values(folder), values(tmp_path / "iris" / "run")
    assert tags == same_tags
    assert any(tag.startswith("gradient_norm/") for _, _, tag in tags)
    assert shared == pytest.approx(one, rel=1e-9)
    # The first process alone speaks, and says the same but for where it logs.
    assert said(several.stdout) == said(told)
    assert [path.name for path in (tmp_path / "iris").iterdir()] == ["run"]


def said(output: str) -> list[str]:
    places = ("--logdir", "The run is in")
    return [line for line in output.splitlines() if not any(p in line for p in places)]


def test_a_run_goes_on_with_fewer_and_fewer_processes(
    tmp_path: Path, alone: tuple[Path, str]
) -> None:
    for count, epochs, how in ((3, 3, "--run-name"), (2, 6, "--resume"), (1, 9, "--resume")):
        ended = iris(tmp_path, count, how, "run", "--epochs", str(epochs), "--log-every", "1")
        assert ended.returncode == 0, ended.stderr
    (tags, one), (same_tags, shared) = values(alone[0]), values(tmp_path / "iris" / "run")
    assert tags == same_tags
    assert shared == pytest.approx(one, rel=1e-9)


def test_accumulated_and_clipped_gradients_are_those_of_one_process(tmp_path: Path) -> None:
    """Steps of two batches of 7, clipped; the last of an epoch is a batch of 7 and one of 1."""
    options = ("--run-name", "run", "--accumulate", "2", "--clip-norm", "1", "--schedule", "cosine")
    for count in (1, 2):
        ended = iris(tmp_path / str(count), count, *options, "--optimizer", "momentum")
        assert ended.returncode == 0, ended.stderr
    (tags, one), (same_tags, two) = (values(tmp_path / n / "iris" / "run") for n in ("1", "2"))
    assert tags == same_tags
    clipped = [value for (*_, tag), value in zip(tags, one, strict=True) if tag == "clipped_share"]
    assert 0 < max(clipped) <= 1
    assert two == pytest.approx(one, rel=1e-9)


def test_a_group_ends_though_a_thread_of_it_still_has_a_tensor() -> None:
    """In processes that begin with nothing imported: an import after the group can keep it."""
    where = os.environ | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    line = [sys.executable, "-m", "tests.training.process.interrupted_exchange"]
    several = [
        subprocess.Popen(
            line,
            env=where | {"WORLD_SIZE": "2", "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        said = [process.communicate(timeout=SECONDS)[0] for process in several]
    finally:
        for process in several:
            process.kill()
    assert said == ["ended\nleft\n"] * 2


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_the_weights_of_the_shares_make_the_average_right(count: int, reduction: str) -> None:
    """DistributedDataParallel averages: Σ wᵣ · lossᵣ / count must be the loss of the batch."""
    every = [Processes(rank, count) for rank in range(count)]
    for size in (1, 2, 3, 4, 7):
        errors = torch.rand(size, dtype=torch.float64)
        shares = [errors[each.share(torch.arange(size))] for each in every]
        losses = [getattr(share, reduction)() for share in shares]
        weights = [each.weight(size, reduction) for each in every]
        average = sum(w * loss for w, loss in zip(weights, losses, strict=True)) / count
        torch.testing.assert_close(average, getattr(errors, reduction)())


def test_the_sweep_says_that_it_trains_in_one_process(tmp_path: Path) -> None:
    refused = iris(tmp_path, 2, "--gradients", "sweep")
    assert refused.returncode != 0
    assert "The sweep trains in one process, but there are 2." in refused.stderr
