"""How commands end where their output or their import is cut short, in processes of their own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.full_disk import FULL, needs_full

ROOT = str(Path(__file__).parents[2])
COMMAND = [sys.executable, "-m", "torchref"]
LIST = ["-m", "experiments"]
IRIS = [sys.executable, "-u", "-m", "experiments.iris"]
# Stands for torch, whose import takes long, and turns Ctrl-C into something else on its way.
SLOW = """
import time
print("importing", flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    raise RecursionError("in the midst of an import")
"""


def begin(line: list[str], **options: object) -> subprocess.Popen[str]:
    path = os.pathsep.join(filter(None, [str(options.pop("first", "")), ROOT]))
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.Popen(line, text=True, env=os.environ | {"PYTHONPATH": path}, **streams)


@pytest.mark.parametrize("line", [["--help"], ["--version"], ["causes"]], ids=" ".join)
def test_a_closed_standard_output_is_told(line: list[str]) -> None:
    process = begin(["sh", "-c", '"$@" >&-', "sh", *COMMAND, *line])
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert err == "error: standard output takes no more: it is closed\n"


def test_an_experiment_tells_a_closed_standard_output() -> None:
    process = begin(["sh", "-c", '"$@" >&-', "sh", *IRIS, "--help"])
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert err == "Error: standard output takes no more: it is closed\n"


@pytest.mark.parametrize(
    "line",
    [[*COMMAND, "--help"], [*COMMAND, "causes"], [*IRIS, "--help"], [sys.executable, *LIST]],
    ids=["help", "causes", "experiment", "experiments"],
)
def test_a_reader_that_leaves_ends_it_in_silence(line: list[str]) -> None:
    """As `head` does; a shell calls this status 141."""
    with begin(line) as process:
        assert process.stdout
        process.stdout.close()
        assert process.stderr
        assert process.stderr.read() == ""
        assert process.wait(timeout=120) == -signal.SIGPIPE


@needs_full
@pytest.mark.parametrize("line", [COMMAND, IRIS], ids=["command", "experiment"])
def test_a_full_disk_is_told(line: list[str]) -> None:
    with FULL.open("w") as full:
        process = begin([*line, "--help"], stdout=full)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    (message,) = err.splitlines()
    assert message.lower().startswith("error: standard output takes no more: no space left")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("experiments.digit", "but 'digit' arrived. Did you mean digits?"),
        ("experiments.bundle", "but 'bundle' arrived."),
    ],
)
def test_an_unknown_experiment_is_told_which_there_are(name: str, told: str) -> None:
    process = begin([sys.executable, "-u", "-m", name])
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (2, "")
    (message,) = err.splitlines()
    assert message.startswith("Error: an experiment must be one of attention_memory, benchmark_")
    assert "bundled_data" not in message
    assert told in message


@pytest.mark.parametrize(
    ("line", "slow"),
    [
        ([*COMMAND, "causes"], "typing"),  # of what takes long to import it comes first
        ([*COMMAND, "causes"], "torch"),
        ([*COMMAND, "check", "kernels.py"], "torch"),
        (IRIS, "torch"),
    ],
    ids=["first", "causes", "check", "experiment"],
)
def test_ctrl_c_during_an_import_is_quiet(tmp_path: Path, line: list[str], slow: str) -> None:
    (tmp_path / f"{slow}.py").write_text(SLOW)
    process = begin(line, first=tmp_path)
    assert process.stdout
    assert process.stdout.readline() == "importing\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT  # which a shell calls 130
    assert err == ""


def test_a_table_of_an_experiment_is_no_failure_where_its_reader_has_left(tmp_path: Path) -> None:
    """The run is whole, and the status that of any command whose reader has left."""
    line = [sys.executable, "-u", "-m", "experiments.several_minima", "--logdir", str(tmp_path)]
    with begin(line) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("The figure is in ")
        process.stdout.close()
        assert process.stderr
        assert process.stderr.read() == ""
        assert process.wait(timeout=120) == 128 + signal.SIGPIPE
