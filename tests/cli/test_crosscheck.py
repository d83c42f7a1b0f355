"""The command line: exit statuses, tables, JSON, and one message for each kind of bad input."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import torchref
from tests.full_disk import FULL, needs_full
from torchref.catalogue import CATALOGUE
from torchref.checker.causes.table import CAUSES
from torchref.ops import Sigmoid

PYTHON = ".".join(str(part) for part in sys.version_info[:3])
VERSION = f"torchref {torchref.__version__} (torch {torch.__version__}, Python {PYTHON})\n"


class SignFlipped(Sigmoid):
    """The sigmoid with the gradient of its negative."""

    @staticmethod
    def backward(ctx: Any, grad_y: Tensor) -> Tensor:
        return -Sigmoid.backward(ctx, grad_y)


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of an op of the catalogue that is wrong for the time of a test."""
    entry = replace(CATALOGUE["Sigmoid"], op=SignFlipped)
    monkeypatch.setitem(CATALOGUE, "SignFlipped", entry)
    return "SignFlipped"


def test_all_ops_are_right(run) -> None:
    status, out, err = run("crosscheck")
    assert status == 0
    assert err == ""
    for name in CATALOGUE:
        assert name in out
    assert out.count(" right ") == len(CATALOGUE)


def test_a_wrong_op_ends_with_1_and_its_story(run, planted: str) -> None:
    status, out, _ = run("crosscheck", "Sigmoid", planted)
    assert status == 1
    assert "SignFlipped against sigmoid: wrong" in out
    assert "1. sign-flipped in x[" in out
    assert CAUSES["sign-flipped"].look_at in out
    assert "Sigmoid against sigmoid: right" not in out


@pytest.mark.slow
@pytest.mark.usefixtures("planted")
def test_a_wrong_op_among_all_of_them_ends_with_1(run) -> None:
    assert run("crosscheck")[0] == 1


def test_only_the_ops_that_are_named(run) -> None:
    status, out, _ = run("crosscheck", "Softplus", "Sigmoid")
    assert status == 0
    assert out.index("Softplus") < out.index("Sigmoid")
    assert "Affine" not in out


def test_each_op_in_a_process_of_its_own(run) -> None:
    apart = run("crosscheck", "Tanh", "--isolate")
    assert apart[0] == 0
    assert apart == run("crosscheck", "Tanh")


def test_the_same_seed_gives_the_same_output(run) -> None:
    first, again, other = (run("crosscheck", "LogLoss", "--seed", seed) for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_json_holds_all_reports(run, planted: str, tmp_path: Path) -> None:
    file = tmp_path / "reports.json"
    status, _, _ = run("crosscheck", "Affine", planted, "--seed", 5, "--json", file)
    assert status == 1

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    told = json.loads(file.read_text(), parse_constant=refuse)
    assert told["torchref"] == torchref.__version__
    assert (told["device"], told["seed"]) == ("cpu", 5)
    right, wrong = told["reports"]
    assert (right["candidate"], right["verdict"], right["findings"]) == ("Affine", "right", [])
    assert (wrong["candidate"], wrong["verdict"]) == ("SignFlipped", "wrong")
    assert wrong["findings"][0]["cause"] == "sign-flipped"
    assert {check["status"] for check in right["checks"]} <= {"passed", "skipped"}


def test_json_overwrites_what_was_there(run, tmp_path: Path) -> None:
    file = tmp_path / "reports.json"
    file.write_text("x" * 100_000)
    run("crosscheck", "Sigmoid", "--json", file)
    assert json.loads(file.read_text())["reports"][0]["candidate"] == "Sigmoid"


@pytest.mark.parametrize("where", ["a folder that is not there/reports.json", "."])
def test_json_that_cannot_be_written_is_found_out_before_the_work(
    run, tmp_path: Path, where: str
) -> None:
    status, out, err = run("crosscheck", "--json", tmp_path / where)
    assert status == 2
    assert "--json must be a file that can be written" in err
    assert out == ""


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("sigmoid", "Sigmoid"),
        ("Sigmoyd", "Sigmoid"),
        ("AFFINE", "Affine"),
        ("Softplus2", "Softplus"),
    ],
)
def test_an_unknown_op_suggests_the_nearest(run, name: str, nearest: str) -> None:
    status, out, err = run("crosscheck", name)
    assert status == 2
    assert f"Did you mean {nearest}?" in err
    assert repr(name) in err
    assert out == ""


def test_an_op_like_no_other_gets_the_list(run) -> None:
    status, _, err = run("crosscheck", "§§§")
    assert status == 2
    assert all(name in err for name in CATALOGUE)
    assert "Did you mean" not in err


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs the absence of CUDA")
def test_cuda_that_is_not_there_is_an_error_and_no_silent_fallback(run) -> None:
    status, out, err = run("crosscheck", "--device", "cuda")
    assert status == 2
    assert "--device cuda needs a CUDA device" in err
    assert "Leave --device out" in err
    assert out == ""


@pytest.mark.cuda
def test_all_ops_are_right_on_cuda(run) -> None:
    assert run("crosscheck", "--device", "cuda")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["crosscheck", "--device", "tpu"], ["--device", "'tpu'"]),
        (["crosscheck", "--seed", "-1"], ["--seed", "greater than or equal to 0", "but -1"]),
        (
            ["crosscheck", "--seed", str(2**32)],
            ["--seed", "less than or equal to 4294967295", f"but {2**32}"],
        ),
        (["crosscheck", "--seed", "x"], ["--seed", "integer", "but 'x'"]),
        (["explain", "--seed", "-1"], ["--seed", "greater than or equal to 0", "but -1"]),
        (["explain", "--examples", "0"], ["--examples", "greater than or equal to 1", "but 0"]),
        (["crosscheck", "--sed", "1"], ["--sed"]),
        (["croscheck"], ["croscheck"]),
    ],
    ids=" ".join,
)
def test_bad_usage_ends_with_2_and_says_what_is_bad(
    run, arguments: list[str], words: list[str]
) -> None:
    status, out, err = run(*arguments)
    assert status == 2
    assert out == ""
    for word in words:
        assert word in err


def test_the_causes_are_listed_and_explained(run) -> None:
    status, out, _ = run("causes")
    assert status == 0
    for name, cause in CAUSES.items():
        assert f"{name}\n  {cause.meaning}\n  {cause.look_at}\n" in out
    assert run("causes", "transposed")[1].splitlines()[0] == "transposed"
    status, _, err = run("causes", "transpose")
    assert status == 2
    assert "Did you mean transposed?" in err


def test_version(run) -> None:
    status, out, _ = run("--version")
    assert status == 0
    assert out == VERSION


def test_it_runs_as_a_module_too() -> None:
    command = [sys.executable, "-m", "torchref", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == VERSION


def test_without_a_command_there_is_help(run) -> None:
    status, out, err = run()
    assert status in (0, 2)  # click's own convention has changed
    assert "crosscheck" in out + err


def test_help_has_examples_and_exit_statuses(run) -> None:
    status, out, _ = run("crosscheck", "--help")
    assert status == 0
    for words in ("Examples:", "torchref crosscheck LogLoss --json report.json", "Exit status"):
        assert words in out
    assert "torchref crosscheck Affine Sigmoid --seed 7" in run("--help")[1]


def test_the_examples_of_the_help_run(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for example in ("crosscheck Affine Sigmoid --seed 7", "crosscheck LogLoss --json report.json"):
        assert run(*example.split())[0] == 0


def test_brackets_in_a_message_are_what_was_typed(run) -> None:
    status, _, err = run("crosscheck", "[red]Sigmoid[/bold]")
    assert status == 2
    assert "'[red]Sigmoid[/bold]' arrived" in err


def program(*arguments: str, **kwargs: Any) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-c", "from torchref.cli import main; main()", *arguments]
    return subprocess.run(call, text=True, check=False, timeout=120, **kwargs)


def test_a_terminal_without_unicode_gets_every_line() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    ended = program("explain", "two-neuron-chain", capture_output=True, env=environment)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "\\u2202E/\\u2202a" in ended.stdout
    assert "The verdict: right" in ended.stdout


@needs_full
@pytest.mark.parametrize("command", ["explain", "crosscheck Sigmoid"])
def test_an_output_that_takes_no_more_is_one_message(command: str) -> None:
    with FULL.open("w") as full:
        ended = program(*command.split(), stdout=full, stderr=subprocess.PIPE)
    assert ended.returncode == 2
    assert "error: standard output takes no more" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_it_runs_as_a_program_without_colour_where_there_is_no_terminal() -> None:
    ended = program("crosscheck", "Sigmoid", capture_output=True)
    assert ended.returncode == 0
    assert ended.stderr == ""
    assert "\x1b" not in ended.stdout
    assert "right" in ended.stdout
