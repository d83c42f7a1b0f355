"""The fixture: a report becomes the failure of the test, and each run draws the same."""

import json
from typing import Any

import pytest
import torch

RIGHT = """
import torch
from ops import Swish, WrongSwish, silu

def test_swish(crosscheck):
    report = crosscheck(Swish, silu, (torch.randn(4, 3),), seconds=60, thorough=False)
    assert report.verdict == "right"
"""
WRONG = """
import torch
from ops import WrongSwish, silu

def test_wrong(crosscheck):
    crosscheck(WrongSwish, silu, (torch.randn(4, 3),), thorough=False)
    raise SystemExit("this is not reached")
"""


def reports_of(suite: pytest.Pytester, *arguments: str) -> dict[str, Any]:
    suite.runpytest_inprocess("--torchref-report=found.json", *arguments)
    return json.loads((suite.path / "found.json").read_text())


def test_a_right_function_passes(suite: pytest.Pytester) -> None:
    suite.makepyfile(RIGHT)
    ended = suite.runpytest_inprocess()
    assert ended.ret == pytest.ExitCode.OK
    ended.assert_outcomes(passed=1)


def test_a_wrong_function_fails_its_test_with_the_report(suite: pytest.Pytester) -> None:
    suite.makepyfile(WRONG)
    ended = suite.runpytest_inprocess()
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    ended.assert_outcomes(failed=1)
    ended.stdout.fnmatch_lines(
        [
            ">*crosscheck(WrongSwish, silu*",
            "E*Failed: WrongSwish against silu: wrong",
            "E*1. sign-flipped in x*",
            "*::test_wrong - Failed: WrongSwish*",
        ]
    )
    ended.stdout.no_fnmatch_line("*fixture.py*")
    ended.stdout.no_fnmatch_line("*_report(*")


def test_what_cannot_be_told_fails(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import torch
        def test_nothing_judged(crosscheck):
            crosscheck(torch.sin, torch.sin, (torch.randn(4, 3),), seconds=1e-9)
        """
    )
    ended = suite.runpytest_inprocess()
    ended.assert_outcomes(failed=1)
    ended.stdout.fnmatch_lines(["*Failed: sin against sin: cannot tell"])


def test_a_report_fails_nothing_where_it_is_asked_for(suite: pytest.Pytester) -> None:
    suite.makepyfile(WRONG.replace("crosscheck(W", "crosscheck.report(W").replace("raise", "#"))
    ended = suite.runpytest_inprocess()
    ended.assert_outcomes(passed=1)
    ended.stdout.fnmatch_lines(["wrong: *::test_wrong: *sign-flipped in x (reported only)"])


def test_a_report_in_an_assert_says_what_to_write(suite: pytest.Pytester) -> None:
    suite.makepyfile(RIGHT.replace("report = crosscheck(", "assert crosscheck("))
    ended = suite.runpytest_inprocess()
    ended.assert_outcomes(failed=1)
    ended.stdout.fnmatch_lines(
        ['E*TypeError: *Write report.verdict == "right", or call report.raise_if_wrong()*']
    )


def test_bad_arguments_are_one_message(suite: pytest.Pytester) -> None:
    suite.makepyfile(RIGHT.replace("silu, (torch.randn(4, 3),)", "(torch.randn(4, 3),)"))
    ended = suite.runpytest_inprocess()
    ended.assert_outcomes(failed=1)
    ended.stdout.fnmatch_lines(["E*InputError: crosscheck needs inputs*"])
    ended.stdout.no_fnmatch_line("*_check_call*")


def test_seeds_are_those_of_the_names_in_each_run_and_order(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import pytest
        import torch

        def body(crosscheck, **options):
            x = torch.randn(4, 3)
            torch.save(x, f"{crosscheck.test.split('::')[1]}.pt")
            crosscheck(torch.sin, torch.sin, (x,), thorough=False, **options)

        def test_one(crosscheck): body(crosscheck)
        def test_two(crosscheck): body(crosscheck)
        def test_given(crosscheck): body(crosscheck, seed=7)
        """
    )

    def seeds(*arguments: str) -> dict[str, int]:
        tests = reports_of(suite, *arguments)["tests"]
        return {each["test"].split("::")[1]: each["report"]["seed"] for each in tests}

    first = seeds()
    drawn = torch.load(suite.path / "test_two.pt")
    torch.manual_seed(99)
    assert seeds("-k", "two") == {"test_two": first["test_two"]}
    assert torch.equal(torch.load(suite.path / "test_two.pt"), drawn)
    assert not torch.equal(torch.load(suite.path / "test_one.pt"), drawn)
    assert first["test_one"] != first["test_two"]
    assert first["test_given"] == 7


def test_the_generator_goes_on_after_the_test(suite: pytest.Pytester) -> None:
    suite.makepyfile(RIGHT)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    suite.runpytest_inprocess().assert_outcomes(passed=1)
    assert torch.equal(torch.get_rng_state(), before)
