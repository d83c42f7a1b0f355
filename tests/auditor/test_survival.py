"""`torchref audit` as a process: programs and Functions that end it, and Ctrl-C at any moment."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.programs import SINE

OTHERS = """
import os, sys, time

class Doubled(Sine):
    @staticmethod
    def backward(ctx, grad_y):
        return 2 * grad_y * torch.cos(ctx.saved_tensors[0])

class Fatal(Sine):
    is_armed = False
    @staticmethod
    def backward(ctx, grad_y):
        if Fatal.is_armed:
            os.abort()
        return Sine.backward(ctx, grad_y)

class Sleeping(Sine):
    is_armed = False
    @staticmethod
    def forward(ctx, x):
        if Sleeping.is_armed:
            print("asleep", file=sys.stderr, flush=True)
            time.sleep(600)
        return Sine.forward(ctx, x)

def apply(*functions):
    for each in functions:
        each.apply(torch.ones(4, 3, requires_grad=True)).sum().backward()
"""
FUNCTIONS = "import torch\n" + SINE + OTHERS
COMMAND = (sys.executable, "-m", "torchref", "audit")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}


class Program:
    """A folder with a program in it, audited in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "functions.py").write_text(FUNCTIONS)

    def write(self, text: str) -> None:
        (self.folder / "train.py").write_text(f"from functions import *\n{text}\n")

    def started(self, *options: str, **more: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, *options, "train.py"],
            cwd=self.folder,
            env=ENVIRONMENT | {"PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # whose Ctrl-C no terminal sends
            **more,
        )

    def ended(self, text: str, *options: str) -> tuple[int, str, str]:
        self.write(text)
        process = self.started(*options)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def test_a_program_that_raises_is_reported_until_then(program: Program) -> None:
    status, out, err = program.ended('apply(Sine, Doubled)\nraise ValueError("boom")')
    assert status == 1
    assert err.splitlines() == [
        "Traceback (most recent call last):",
        f'  File "{program.folder}/train.py", line 3, in <module>',
        '    raise ValueError("boom")',
        "ValueError: boom",
    ]
    assert "note: the program raised ValueError: boom" in out
    assert "Doubled: wrong\n  1. constant-factor in x" in out


def test_a_program_that_exits_is_told_from_one_that_ends(program: Program) -> None:
    status, out, _ = program.ended("apply(Sine)\nsys.exit(3)")
    assert status == 2
    assert "note: the program ended with exit status 3" in out
    assert " right " in out
    assert program.ended("apply(Sine)\nsys.exit()")[0] == 0


def test_a_program_that_ends_its_process_is_reported_as_far_as_it_came(program: Program) -> None:
    status, out, _ = program.ended("apply(Sine)\nos.kill(os.getpid(), 11)")
    assert status == 2
    assert "note: the process was ended by SIGSEGV before the program was over" in out
    assert "Sine: cannot tell" in out
    assert "functions.py:3" in out


def test_a_function_that_ends_the_process_leaves_what_was_learnt(program: Program) -> None:
    text = "apply(Doubled, Fatal, Sine)\nFatal.is_armed = True"
    status, _, _ = program.ended(text, "--json", "report.json")
    assert status == 1
    rows = json.loads((program.folder / "report.json").read_text())["functions"]
    assert [(row["name"], row["verdict"]) for row in rows] == [
        ("Doubled", "wrong"),
        ("Fatal", "cannot tell"),
        ("Sine", "cannot tell"),
    ]
    assert "ended by SIGABRT at Fatal, call 1" in rows[1]["note"]
    assert "--isolate" in rows[1]["note"]
    assert "not checked" in rows[2]["note"]


def test_ctrl_c_ends_the_program_and_what_was_seen_is_checked(program: Program) -> None:
    program.write('apply(Sine, Doubled)\nprint("trained", flush=True)\ntime.sleep(600)')
    process = program.started()
    assert process.stdout is not None
    assert process.stdout.readline() == "trained\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "note: the program was interrupted" in out
    assert "Doubled: wrong" in out
    assert "Traceback" not in out + err


def test_ctrl_c_ends_the_checks_and_those_made_are_reported(program: Program) -> None:
    program.write("apply(Doubled, Sleeping, Sine)\nSleeping.is_armed = True")
    process = program.started()
    assert process.stderr is not None
    assert process.stderr.readline() == "asleep\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Doubled: wrong" in out
    assert out.count("not checked: interrupted") == 2
    assert "Traceback" not in out + err


def test_isolated_checks_outlive_what_ends_their_process(program: Program) -> None:
    """A Function in a module of its own is imported anew there, and is not armed."""
    text = "class Mine(Sine):\n    backward = Doubled.backward\napply(Mine)"
    status, out, _ = program.ended(text, "--isolate")
    assert status == 1
    assert "Mine: wrong\n  1. constant-factor in x" in out


def test_what_a_program_sets_before_torch_is_imported_holds(program: Program) -> None:
    text = (
        'import sys\nassert "torch" not in sys.modules\nimport os\n'
        'os.environ["OMP_NUM_THREADS"] = "2"\nfrom functions import *\n'
        "print(torch.get_num_threads(), __name__, __file__)\napply(Sine)"
    )
    (program.folder / "train.py").write_text(text)
    process = program.started()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert out.startswith(f"2 __main__ {program.folder}/train.py\n")
