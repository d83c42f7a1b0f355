"""`--torchref-report`: complete whatever happens, and what is wrong with it is said before."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.full_disk import FULL, needs_full

SUITE = """
import pytest
import torch
from ops import Swish, WrongSwish, silu

x = torch.linspace(-2, 2, 12).reshape(4, 3)

@pytest.mark.parametrize("n", range(3))
def test_right(crosscheck, n):
    crosscheck(Swish, silu, (x + n,), thorough=False)

def test_wrong(crosscheck):
    crosscheck.report(Swish, silu, (x,), thorough=False)
    crosscheck(WrongSwish, silu, (x,), thorough=False)

def test_without():
    pass
"""


def written(suite: pytest.Pytester) -> dict[str, Any]:
    return json.loads((suite.path / "found.json").read_text())


def assert_complete(suite: pytest.Pytester) -> None:
    found = written(suite)
    assert found["totals"] == {"right": 4, "wrong": 1, "cannot tell": 0, "hazards": 0}
    assert not found["interrupted"]
    told = [
        (each["test"].partition("::")[2], each["enforced"], each["report"]["verdict"])
        for each in found["tests"]
    ]
    assert told == [
        *((f"test_right[{n}]", True, "right") for n in range(3)),
        ("test_wrong", False, "right"),
        ("test_wrong", True, "wrong"),
    ]
    assert found["tests"][-1]["report"]["findings"][0]["cause"] == "sign-flipped"


def test_it_and_the_summary_have_every_report(suite: pytest.Pytester) -> None:
    suite.makepyfile(SUITE)
    ended = suite.runpytest_inprocess("--torchref-report=found.json")
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    assert_complete(suite)
    ended.stdout.fnmatch_lines(
        [
            "*= torchref =*",
            "wrong: *::test_wrong: WrongSwish against silu: sign-flipped in x",
            "cross-checks: 4 right, 1 wrong, 0 cannot tell; 0 with hazards",
        ]
    )
    ended.stdout.no_fnmatch_line("right: *")


def test_ctrl_c_leaves_what_was_learnt(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        SUITE
        + """
def test_long(crosscheck):
    crosscheck(Swish, silu, (x,), thorough=False)
    raise KeyboardInterrupt
"""
    )
    ended = suite.runpytest_inprocess("--torchref-report=found.json", no_reraise_ctrlc=True)
    assert ended.ret == pytest.ExitCode.INTERRUPTED
    found = written(suite)
    assert found["interrupted"]
    assert found["totals"]["right"] == 5
    assert found["tests"][0]["test"].endswith("test_long")


def test_a_test_that_ends_the_process_leaves_what_was_learnt(suite: pytest.Pytester) -> None:
    suite.makepyfile(SUITE + "\ndef test_ends():\n    import os\n    os._exit(0)\n")
    suite.runpytest_subprocess("--torchref-report=found.json")
    found = written(suite)
    assert found["interrupted"]
    assert found["totals"]["right"] + found["totals"]["wrong"] > 0


@pytest.mark.parametrize(
    ("file", "why"),
    [("absent/found.json", "No such file"), pytest.param(FULL, "No space left", marks=needs_full)],
)
def test_a_file_that_cannot_be_written_is_bad_usage(
    suite: pytest.Pytester, file: str | Path, why: str
) -> None:
    suite.makepyfile("raise SystemExit('the tests were collected')")
    ended = suite.runpytest_inprocess(f"--torchref-report={file}")
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    ended.stderr.fnmatch_lines([f"ERROR: --torchref-report must be a file*{why}*"])
    assert "Traceback" not in ended.stderr.str()
    ended.stdout.no_fnmatch_line("*the tests were collected*")


@needs_full
def test_a_file_that_is_full_at_the_end_is_said(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import os
        import torch
        def test_sine(crosscheck):
            crosscheck(torch.sin, torch.sin, (torch.randn(4, 3),), thorough=False)
            os.remove("found.json")
            os.symlink("/dev/full", "found.json")
        """
    )
    ended = suite.runpytest_inprocess("--torchref-report=found.json")
    ended.assert_outcomes(passed=1)
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    ended.stdout.fnmatch_lines(["--torchref-report must be a file*No space left*"])


def test_a_list_of_tests_writes_nothing(suite: pytest.Pytester) -> None:
    suite.makepyfile(SUITE)
    (suite.path / "found.json").write_text("of before")
    suite.runpytest_inprocess("--co", "--torchref-report=found.json")
    assert Path(suite.path / "found.json").read_text() == "of before"
