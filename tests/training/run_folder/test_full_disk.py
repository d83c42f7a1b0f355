"""A disk that fills up while a run goes on: a small one of its own, in memory."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.training.small_task import rows
from tests.warm_process import run as run_script
from torchref.training.run_folder.checkpoint import Checkpoints

NAMESPACE = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-Urm"]
IRIS = ["experiments.iris", "--quiet", "--check-every", "0", "--threads", "1"]
LINE = [sys.executable, "-m", *IRIS, "--epochs", "3000"]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def on_a_disk_of(tmp_path: Path) -> Run:
    """Runs a line where {disk} is a disk of so many kilobytes, and copies all to {copy}."""
    disk, copy = tmp_path / "disk", tmp_path / "copy"
    disk.mkdir()

    def run(kilobytes: int, line: list[str]) -> subprocess.CompletedProcess[str]:
        mount = f"mount -t tmpfs -o size={kilobytes}k tmpfs {shlex.quote(str(disk))}"
        copied = f"cp -r {shlex.quote(str(disk))} {shlex.quote(str(copy))}"
        script = f"{mount} || exit 77; {shlex.join(line)}; status=$?; {copied}; exit $status"
        ended = subprocess.run(
            [*NAMESPACE, "sh", "-c", script], capture_output=True, text=True, check=False
        )
        if shutil.which("unshare") is None or ended.returncode == 77 or "unshare:" in ended.stderr:
            pytest.skip(f"no disk can be mounted here: {ended.stderr.strip()}")
        return ended

    return run


@pytest.mark.parametrize(
    ("kilobytes", "options"),
    [
        (140, ["--log-every", "1", "--save-every", "1"]),
        (180, ["--log-every", "1", "--save-every", "3000"]),
        (130, ["--log-every", "1", "--save-every", "7", "--gradients", "sweep"]),
    ],
    ids=["checkpoints", "logs", "one run"],
)
def test_it_ends_with_one_message_and_the_checkpoint_before_is_whole(
    on_a_disk_of: Run, tmp_path: Path, kilobytes: int, options: list[str]
) -> None:
    line = [*LINE, *options, "--run-name", "part", "--logdir", str(tmp_path / "disk")]
    ended = on_a_disk_of(kilobytes, line)
    assert ended.returncode == 2, ended.stderr
    (message,) = ended.stderr.splitlines()
    assert message.startswith("Error: A run needs room for what it logs and saves, but ")
    assert "No space left on device" in message
    assert "--resume part" in message
    folder = tmp_path / "copy" / "iris" / "part"
    assert json.loads((folder / "config.json").read_text())["status"] == "failed"
    saved = Checkpoints(folder).load()
    end = str(saved["epoch"] + 20)
    for run, how in (("part", ["--resume", "part"]), ("whole", ["--run-name", "whole"])):
        ended = run_script(*IRIS, *options, *how, "--epochs", end, "--logdir", tmp_path / "copy")
        assert ended.returncode == 0, run
    whole = folder.with_name("whole")
    assert rows(folder) == rows(whole)
    mine, its = (Checkpoints(each).load()["contenders"] for each in (folder, whole))
    for name, contender in its.items():
        for key, x in contender["model"].items():
            assert torch.equal(x, mine[name]["model"][key])


def test_a_full_disk_takes_no_run_and_it_is_said(on_a_disk_of: Run, tmp_path: Path) -> None:
    """Not even the record of the run, or that and no checkpoint."""
    for kilobytes, said, hint in (
        (4, "The log folder must be a folder that can be written", "--logdir"),
        (20, "A run needs room for what it logs and saves", "Make room, and start again."),
    ):
        fill = f"head -c 4096 /dev/zero > {shlex.quote(str(tmp_path / 'disk' / 'full'))}"
        line = shlex.join([*LINE, "--logdir", str(tmp_path / "disk")])
        ended = on_a_disk_of(kilobytes, ["sh", "-c", f"{fill}; {line}"])
        assert ended.returncode == 2
        (message,) = ended.stderr.splitlines()
        assert message.startswith(f"Error: {said}, but ")
        assert "No space left on device" in message
        assert hint in message
