"""`torchref mutate` on small suites: what they let through, and how it ends when it cannot."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.full_disk import FULL, needs_full
from tests.testing.mutated_suites import HANGS, SQUARE, STRONG, WEAK, suite

HOUSE = Path(__file__).parents[2]
MOST_SECONDS = 240


def contents(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "torchref", "mutate", *options, "--", "pytest", "-q"]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(HOUSE), "COLUMNS": "200", **more}


def mutate(
    folder: Path, *options: str, of_pytest: tuple[str, ...] = (), **kwargs: Any
) -> subprocess.CompletedProcess[str]:
    kwargs = {"capture_output": True, **kwargs}
    ended = subprocess.run(
        [*command(*options), *of_pytest], cwd=folder, env=environment(), text=True,
        timeout=MOST_SECONDS, check=False, **kwargs,
    )  # fmt: skip
    assert "Traceback (most recent call last):\n  File" not in (ended.stderr or "")
    return ended


@pytest.mark.slow
def test_a_strong_suite_catches_all_and_its_files_are_as_they_were(tmp_path: Path) -> None:
    before = contents(suite(tmp_path, STRONG))
    ended = mutate(tmp_path, "--json", "-", "--jobs", "2")
    assert ended.returncode == 0
    assert "30 wrong gradients of 3 Functions: 30 caught" in ended.stderr
    told = json.loads(ended.stdout)
    assert contents(tmp_path) == before
    assert (told["complete"], told["all_caught"], told["interrupted"]) == (True, True, False)
    by_name = {each["function"]: each for each in told["functions"]}
    assert set(by_name) == {"kernels.Swish", "kernels.Square", "mutated::cube"}
    assert by_name["kernels.Square"]["tests"] == ["test_kernels.py::test_square"]
    planted = [(each["kind"], each["argument"]) for each in by_name["kernels.Swish"]["mutants"]]
    kinds = 7  # with `missing`, without `dropped reduction`
    assert len(planted) == 2 * kinds + 2
    assert {("dropped reduction", "beta"), ("overwritten", None)} < set(planted)
    assert told["counts"] == {"caught": 16 + 7 + 7}


@pytest.mark.slow
def test_a_weak_suite_hears_what_it_lets_through(tmp_path: Path) -> None:
    suite(tmp_path, WEAK)
    report = tmp_path / "report.json"
    ended = mutate(tmp_path, "--json", str(report), "--seconds", "8")
    assert (ended.returncode, ended.stderr) == (1, "")
    by_name = {each["function"]: each for each in json.loads(report.read_text())["functions"]}

    def those(name: str, outcome: str) -> set[tuple[str, str | None]]:
        return {
            (each["kind"], each["argument"])
            for each in by_name[name]["mutants"]
            if each["outcome"] == outcome
        }

    ones = "ones in place of grad_output"
    survived = {(ones, "x"), (ones, "beta"), ("overwritten", None)}
    assert those("kernels.Swish", "survived") == survived
    assert ("scaled by 1.01", "x") in those("kernels.Swish", "caught")
    assert not by_name["kernels.Square"]["backward_called"]
    assert {("sign", "x"), ("zero", "x")} <= those("mutated::cube", "timed out")
    assert ("scaled by 1.01", "x") in those("mutated::cube", "survived")
    assert "survived x: ones in place of grad_output\n    go back from a random" in ended.stdout
    assert "its backward is never called by the tests" in ended.stdout
    assert "test_kernels.py::test_swish_summed" in ended.stdout


SPOILT = {
    "fails": ("def test_it():\n    assert 1 == 2, 'so it is'\n", ["must pass", "so it is"]),
    "ends": ("import os\ndef test_it():\n    os._exit(3)\n", ["must pass", "exit status 3"]),
    "is no Python": ("def test_it(:\n", ["must collect", "SyntaxError"]),
    "is empty": ("", ["must find tests"]),
    "applies none": ("def test_it():\n    pass\n", ["must apply a torch.autograd.Function"]),
    "applies its own": (
        "from torch.autograd import Function\nimport torch\n"
        "class Own(Function):\n    forward = staticmethod(lambda ctx, x: x * 1)\n"
        "def test_it():\n    Own.apply(torch.ones(2))\n",
        ["that holds no tests", "test_kernels.Own", "--functions"],
    ),
}


@pytest.mark.parametrize("how", SPOILT)
def test_tests_that_cannot_be_tested_are_one_message(tmp_path: Path, how: str) -> None:
    tests, words = SPOILT[how]
    ended = mutate(suite(tmp_path, tests))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("error: ")
    for word in words:
        assert word in ended.stderr


def test_where_autograd_was_used_before_each_run_has_its_own_process(tmp_path: Path) -> None:
    used = "import torch\ntorch.ones(1, requires_grad=True).sum().backward()\n"
    suite(tmp_path, used + SQUARE)
    ended = mutate(tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "7 wrong gradients of 1 Function: 7 caught" in ended.stdout


def test_a_strict_configuration_may_have_no_cache(tmp_path: Path) -> None:
    strict = ("--strict-config", "-p", "no:cacheprovider")
    ended = mutate(suite(tmp_path, SQUARE), of_pytest=strict)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("number", "status", "how"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "ended by SIGTERM")],
)
def test_a_signal_leaves_what_is_known_and_neither_process_nor_file(
    tmp_path: Path, number: int, status: int, how: str
) -> None:
    told, temporary, folder = (tmp_path / name for name in ("told", "temporary", "suite"))
    temporary.mkdir()
    folder.mkdir()
    suite(folder, HANGS + "    square(x)\n")
    with subprocess.Popen(
        command(), cwd=folder, env=environment(told=str(told), TMPDIR=str(temporary)), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as running:  # fmt: skip
        while not told.exists() or not told.read_text():
            assert running.poll() is None
        running.send_signal(number)
        out, errors = running.communicate(timeout=60)
    assert running.returncode == status
    assert errors == f"{how}: what was not tried by then was not checked\n"
    assert "interrupted; until then 7 wrong gradients of 1 Function: 7 not run" in out
    state = ["ps", "-o", "stat=", "-p", told.read_text()]
    left = subprocess.run(state, capture_output=True, text=True, check=False).stdout
    assert left.strip()[:1] in ("", "Z")  # gone, or only not yet forgotten by the system
    assert not list(temporary.glob("torchref-*"))


def test_the_example_of_the_docs_is_what_it_prints(tmp_path: Path) -> None:
    page = (HOUSE / "docs" / "mutate.md").read_text(encoding="utf-8")
    shown = page.partition("-- pytest\n")[2].partition("```")[0]
    for name in ("kernels.py", "test_kernels.py"):
        code = page.partition(f"`{name}`:\n\n```python\n")[2].partition("```")[0]
        (tmp_path / name).write_text(code)
    ended = mutate(tmp_path)
    assert (ended.returncode, ended.stderr) == (1, "")
    printed = ended.stdout.replace(f"{tmp_path}/", "")
    assert re.sub(r"in \d+ s", "in 8 s", printed).split() == shown.split()


@needs_full
def test_an_output_that_takes_no_more_is_one_message(tmp_path: Path) -> None:
    square = (
        STRONG[: STRONG.index("@pytest")]
        + "def test_square():\n"
        + "    judge(square, lambda x: x**2, (3, 3))\n"
    )
    suite(tmp_path, square)
    with FULL.open("w") as full:
        ended = mutate(tmp_path, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert ended.returncode == 2
    assert "standard output takes no more" in ended.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "nothing arrived"),
        (["make", "test"], "'make test' arrived"),
        (["--seconds", "0", "--", "pytest"], "greater than or equal to 1"),
        (["--jobs", "none", "--", "pytest"], "it must be an integer"),
        (["--json", "nowhere/report.json", "--", "pytest"], "--json must be a file"),
    ],
)
def test_bad_usage(
    words: list[str], told: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from torchref import cli

    monkeypatch.setattr(sys, "argv", ["torchref", "mutate", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert told in capsys.readouterr().err
