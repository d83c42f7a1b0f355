"""`torchref audit`: what it takes, what it writes, and one message for each kind of bad input."""

import json
from functools import partial
from pathlib import Path

import pytest

from tests.full_disk import FULL, needs_full
from torchref import InputError
from torchref.cli.auditing.settings import of_options, of_project

PROGRAM = """
import sys
import torch
from torch.autograd import Function

class Swish(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)
    @staticmethod
    def backward(ctx, grad_y):
        s = torch.sigmoid(ctx.saved_tensors[0])
        return grad_y * s * (1 + ctx.saved_tensors[0] * (1 - s))

class Round(Function):
    @staticmethod
    def forward(ctx, x):
        return x.round()
    @staticmethod
    def backward(ctx, grad_y):
        return grad_y

def silu(x):
    return torch.nn.functional.silu(x)

print("arguments", *sys.argv, __name__)
x = torch.randn(4, 3, requires_grad=True)
(Swish.apply(x) + Round.apply(x)).sum().backward()
"""


@pytest.fixture
def run(run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The command `audit` in a folder of its own, with a program."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    (tmp_path / "train.py").write_text(PROGRAM)
    return partial(run, "audit")


def test_names_of_custom_ops_have_colons() -> None:
    assert of_options("--expect", ["a::b=c=d"]) == {"a::b": "c=d"}


def test_a_script_gets_its_arguments_and_files_get_the_report(run, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.torchref.audit.expect]\nRound = "straight-through"\n'
        '[tool.torchref.audit.reference]\nSwish = "train.py:silu"\n'
    )
    status, out, _ = run(
        "--json", "a.json", "--html", "a.html", "train.py", "--json", "b.json", "--", "-m"
    )
    assert status == 0, out
    assert out.startswith("arguments train.py --json b.json -- -m __main__\nFunctions that")
    assert out.count("arguments") == 1  # the reference is that of the program that ran
    document = json.loads((tmp_path / "a.json").read_text())
    assert [row["verdict"] for row in document["functions"]] == ["right", "expected"]
    assert document["functions"][0]["reports"][0]["reference"] == "silu"
    assert document["program"] == ["train.py", "--json", "b.json", "--", "-m"]
    assert "straight-through" in (tmp_path / "a.html").read_text()
    assert not (tmp_path / "b.json").exists()


def test_a_module_is_run_as_python_runs_it_and_json_goes_to_standard_output(run) -> None:
    status, out, err = run("--json", "-", "-m", "train", "-x")
    assert status == 1
    first, rest = out.split("\n", 1)
    assert first.startswith("arguments ")
    assert first.endswith("train.py -x __main__")
    assert json.loads(rest)["verdict"] == "wrong"
    assert "Round: wrong" in err
    assert "--expect 'Round=REASON'" in err


@needs_full
def test_a_full_disk_keeps_back_neither_the_table_nor_the_other_file(run, tmp_path: Path) -> None:
    status, out, err = run("--html", FULL, "--json", "a.json", "train.py")
    assert status == 2
    assert f"--html must be a file that can be written, but {FULL} cannot be" in err
    assert "Round: wrong" in out
    assert json.loads((tmp_path / "a.json").read_text())["verdict"] == "wrong"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.py"], "must be given a script with Python code, but missing.py is not there"),
        (["."], "but . is a folder"),
        ([""], "a script with Python code, but an empty name arrived"),
        (["-m", ""], "a module that can be run, but an empty name arrived"),
        (["--expect", "Round", "train.py"], "--expect must be NAME=REASON, but 'Round' arrived"),
        (["--expect", "Round= ", "train.py"], "--expect must say something of Round"),
        (["--reference", "Swish=silu", "train.py"], "--reference must be FILE.py:NAME"),
        (["--json", "no/a.json", "train.py"], "--json must be a file that can be written"),
        (["--seconds", "0", "train.py"], "--seconds must be more than 0"),
        (["--calls", "0", "train.py"], "calls"),
        ([], "script"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_bad_usage_is_one_message(run, arguments: list[str], message: str) -> None:
    status, out, err = run(*arguments)
    assert status == 2
    assert message in " ".join(err.split())
    assert "arguments" not in out  # the program has not run


def test_what_cannot_be_imported_is_named(run) -> None:
    status, _, err = run("-m", "missing.module")
    assert status == 2
    assert "must be given a module that can be run, but missing.module cannot be imported" in err
    status, out, err = run("--reference", "Swish=train.py:silo", "train.py")
    assert status == 2
    assert out.count("arguments") == 1
    assert "--reference must name something that train.py defines" in err


def test_a_program_without_a_function_is_told(run, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text('print("no torch")')
    status, out, _ = run("train.py")
    assert status == 2
    assert out == "no torch\nNo Function was applied: there is nothing to check.\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.torchref", "must be TOML"),
        ("[tool.torchref]\naudit = 3", "must have the tables expect and reference"),
        ("[tool.torchref.audit]\nexpected = {}", "must have the tables expect and reference"),
        ("[tool.torchref.audit.expect]\nRound = 3", "must map names of Functions to strings"),
        ('[tool.torchref.audit.reference]\nRound = "f"', "must be FILE.py:NAME"),
    ],
)
def test_a_project_that_says_otherwise_is_told(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(InputError, match=message):
        of_project(tmp_path)


def test_the_nearest_project_counts(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('tool.torchref.audit.expect.Round = "meant"')
    (tmp_path / "inner").mkdir()
    assert of_project(tmp_path / "inner")["expect"] == {"Round": "meant"}
    (tmp_path / "inner" / "pyproject.toml").write_text("")
    assert of_project(tmp_path / "inner") == {"expect": {}, "reference": {}}


def test_a_scan_runs_nothing_and_lists_what_a_file_defines(run, tmp_path: Path) -> None:
    text = (tmp_path / "train.py").read_text()
    (tmp_path / "it ends.py").write_text(f"raise SystemExit(3)\n{text}")
    status, out, err = run("--scan", "it ends.py", "--json", "a.json")
    assert (status, err) == (0, "")
    assert "it ends.py:Round" in out
    assert "2 Functions, by source" in out
    assert "torchref check 'it ends.py:Swish' --inputs" in out  # as a shell takes it
    assert json.loads((tmp_path / "a.json").read_text())["functions"]


def test_a_scan_counts_one_as_one(run, tmp_path: Path) -> None:
    one = "import torch\nclass One(torch.autograd.Function):\n    forward = backward = abs\n"
    (tmp_path / "one.py").write_text(one)
    assert run("--scan", "one.py")[1].startswith("1 Function, by source")


def test_a_scan_stands_alone(run) -> None:
    assert run("--scan", "torch", "train.py")[0] == 2
    assert "but --isolate arrived beside it" in run("--scan", "torch", "--isolate")[2]
    status, _, err = run("--scan", "not_there_at_all")
    assert status == 2
    assert "not_there_at_all" in err
    assert "none arrived" in run()[2]
