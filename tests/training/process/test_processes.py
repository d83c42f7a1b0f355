"""Several processes under torchrun against one: the same gradients, the same curve."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.training.small_task import rows
from torchref.training.process.distribution import Processes


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def iris(logdir: Path, count: int, *options: str) -> subprocess.CompletedProcess[str]:
    """The script with batches of 7, and a last one of 1: two and three share neither evenly."""
    torchrun = ["-m", "torch.distributed.run", f"--nproc_per_node={count}"]
    torchrun += ["--master_addr=127.0.0.1", f"--master_port={free_port()}"]
    line = [sys.executable, *(torchrun if count > 1 else []), "-m", "experiments.iris"]
    line += ["--logdir", str(logdir), "--quiet", "--batch-size", "7", "--epochs", "6", *options]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def values(folder: Path) -> tuple[list[tuple[str, ...]], list[float]]:
    """What was logged, without the differences of the gradients, which are nothing but rounding."""
    _, *kept = [row for row in rows(folder) if "difference" not in row[2]]
    return [row[:3] for row in kept], [float(row[3]) for row in kept]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """Nine epochs in one process."""
    logdir = tmp_path_factory.mktemp("alone")
    ended = iris(logdir, 1, "--run-name", "run", "--epochs", "9", "--log-every", "1")
    assert ended.returncode == 0, ended.stderr
    return ended


def folder_of(ended: subprocess.CompletedProcess[str]) -> Path:
    return Path(ended.args[ended.args.index("--logdir") + 1]) / "iris" / "run"


@pytest.mark.parametrize("count", [2, 3])
def test_several_processes_train_as_one(
    tmp_path: Path, alone: subprocess.CompletedProcess[str], count: int
) -> None:
    line = ("--run-name", "run", "--epochs", "9", "--log-every", "1")
    several = iris(tmp_path, count, *line)
    assert several.returncode == 0, several.stderr
    (tags, one), (same_tags, shared) = (values(folder_of(each)) for each in (alone, several))
    assert tags == same_tags
    assert any(tag.startswith("gradient_norm/") for _, _, tag in tags)
    assert shared == pytest.approx(one, rel=1e-9)
    # The first process alone speaks, and says the same but for where it logs.
    assert said(several) == said(alone)
    assert [path.name for path in (tmp_path / "iris").iterdir()] == ["run"]


def said(ended: subprocess.CompletedProcess[str]) -> list[str]:
    places = ("--logdir", "The run is in")
    return [line for line in ended.stdout.splitlines() if not any(p in line for p in places)]


def test_a_run_goes_on_with_fewer_and_fewer_processes(
    tmp_path: Path, alone: subprocess.CompletedProcess[str]
) -> None:
    for count, epochs, how in ((3, 3, "--run-name"), (2, 6, "--resume"), (1, 9, "--resume")):
        ended = iris(tmp_path, count, how, "run", "--epochs", str(epochs), "--log-every", "1")
        assert ended.returncode == 0, ended.stderr
    (tags, one), (same_tags, shared) = values(folder_of(alone)), values(folder_of(ended))
    assert tags == same_tags
    assert shared == pytest.approx(one, rel=1e-9)


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
