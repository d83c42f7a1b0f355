"""`--torchref-audit`: all Functions that the tests apply, through all workers."""

import json

import pytest

from torchref.auditor import AuditReport, Row
from torchref.auditor.report.report import RowVerdict
from torchref.testing.audited_suite import merged

SUITE = """
import torch
from ops import Swish, WrongSwish

def apply(function):
    x = torch.linspace(-2, 2, 12, requires_grad=True)
    function.apply(x).sum().backward()

def test_one(): apply(Swish)
def test_two(): apply({})
"""
STOPS = """
class Stops(Swish):
    is_armed = False
    @staticmethod
    def forward(ctx, x):
        if Stops.is_armed:
            raise KeyboardInterrupt
        return Swish.forward(ctx, x)

def test_three():
    apply(Stops)
    Stops.is_armed = True
"""
RIGHT, WRONG = SUITE.format("Swish"), SUITE.format("WrongSwish")


def test_a_wrong_function_that_no_test_sees_fails_the_run(suite: pytest.Pytester) -> None:
    suite.makepyfile(WRONG)
    ended = suite.runpytest_inprocess("--torchref-audit", "--torchref-report=found.json")
    ended.assert_outcomes(passed=2)
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    ended.stdout.fnmatch_lines(["*= torchref =*", "*WrongSwish*wrong*sign-flipped*"])
    audit = json.loads((suite.path / "found.json").read_text())["audit"]
    assert {each["name"]: each["verdict"] for each in audit["functions"]} == {
        "Swish": "right",
        "WrongSwish": "wrong",
    }


ENDS = """
import os

class Ends(Swish):
    is_armed = False
    @staticmethod
    def forward(ctx, x):
        if Ends.is_armed:
            {}
        return Swish.forward(ctx, x)

class After(Swish):
    pass

def test_three():
    apply(Ends)
    apply(After)
    Ends.is_armed = True
"""


@pytest.mark.parametrize(
    ("how", "told"),
    [("os._exit(3)", "exit status 3"), ("os.kill(os.getpid(), 11)", "signal 11")],
    ids=["exit", "signal"],
)
def test_a_function_that_ends_the_process_ends_no_other(
    suite: pytest.Pytester, how: str, told: str
) -> None:
    suite.makepyfile(WRONG + ENDS.format(how))
    ended = suite.runpytest_inprocess("--torchref-audit", "--torchref-report=found.json")
    ended.assert_outcomes(passed=3)
    rows = json.loads((suite.path / "found.json").read_text())["audit"]["functions"]
    verdicts = {each["name"]: each["verdict"] for each in rows}
    assert verdicts == {
        "Swish": "right",
        "WrongSwish": "wrong",
        "Ends": "cannot tell",
        "After": "right",
    }
    ended.stdout.fnmatch_lines([f"*not checked: it ended the process, with {told}*"])


def test_right_functions_leave_the_status(suite: pytest.Pytester) -> None:
    suite.makepyfile(RIGHT)
    ended = suite.runpytest_inprocess("--torchref-audit")
    assert ended.ret == pytest.ExitCode.OK
    ended.stdout.fnmatch_lines(["*Swish*right*"])


def test_a_function_may_be_meant_to_be_wrong(suite: pytest.Pytester) -> None:
    suite.makepyfile(WRONG)
    expect = "torchref_audit_expect=WrongSwish = its sign is meant"
    ended = suite.runpytest_inprocess("--torchref-audit", "-o", expect)
    assert ended.ret == pytest.ExitCode.OK
    ended.stdout.fnmatch_lines(["*WrongSwish*expected*", "*its sign is meant*"])


def test_an_expectation_without_a_reason_is_bad_usage(suite: pytest.Pytester) -> None:
    ended = suite.runpytest_inprocess("-o", "torchref_audit_expect=WrongSwish")
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    ended.stderr.fnmatch_lines(["ERROR: *NAME = REASON*'WrongSwish' arrived*"])


def test_what_the_fixture_makes_up_is_not_audited(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import torch
        from ops import Swish, WrongSwish, silu

        def test_fixture(crosscheck):
            crosscheck.report(WrongSwish, silu, (torch.randn(4, 3),), thorough=False)

        def test_own():
            Swish.apply(torch.ones(3, requires_grad=True)).sum().backward()
        """
    )
    ended = suite.runpytest_inprocess("--torchref-audit", "--torchref-report=found.json")
    assert ended.ret == pytest.ExitCode.OK
    audit = json.loads((suite.path / "found.json").read_text())["audit"]
    assert [each["name"] for each in audit["functions"]] == ["Swish"]


def test_an_interrupted_run_says_that_it_was_not_audited(suite: pytest.Pytester) -> None:
    suite.makepyfile(WRONG + "\ndef test_three(): raise KeyboardInterrupt")
    ended = suite.runpytest_inprocess("--torchref-audit", no_reraise_ctrlc=True)
    assert ended.ret == pytest.ExitCode.INTERRUPTED
    ended.stdout.fnmatch_lines(
        ["*WrongSwish*cannot tell*", "the run was interrupted: not all that it applied was audited"]
    )


def test_an_interrupted_audit_tells_what_was_checked_by_then(suite: pytest.Pytester) -> None:
    suite.makepyfile(WRONG + STOPS)
    ended = suite.runpytest_inprocess("--torchref-audit", "--torchref-report=found.json")
    assert ended.ret == pytest.ExitCode.INTERRUPTED
    document = json.loads((suite.path / "found.json").read_text())
    assert document["interrupted"]
    assert {each["name"]: each["verdict"] for each in document["audit"]["functions"]} == {
        "Swish": "right",
        "WrongSwish": "wrong",
        "Stops": "cannot tell",
    }


def row(verdict: RowVerdict, calls: int, note: str = "") -> Row:
    return Row("Swish", "ops.py", 3, calls, (((calls,),),), verdict, note=note)


@pytest.mark.parametrize(
    ("verdicts", "together"),
    [
        (("right", "wrong"), "wrong"),
        (("right", "cannot tell"), "cannot tell"),
        (("not checked", "right"), "right"),
        (("not checked", "not checked"), "not checked"),
        (("expected", "right"), "expected"),
    ],
)
def test_rows_of_one_function_become_one(
    verdicts: tuple[RowVerdict, RowVerdict], together: RowVerdict
) -> None:
    first, second = (AuditReport((row(each, n),)) for n, each in enumerate(verdicts, start=1))
    for audits in ([first, second], [second, first]):
        (made,) = merged(audits).rows
        assert (made.verdict, made.calls) == (together, 3)
        assert set(made.shapes) == {((1,),), ((2,),)}


def test_notes_are_told_once_and_those_on_names_where_all_give_them() -> None:
    absent = "expect names Swish, and no such Function was applied"
    first = AuditReport((row("expected", 1),), ("torch.compile traced 1 frame",))
    second = AuditReport((), (absent, "torch.compile traced 1 frame"))
    assert merged([first, second]).notes == ("torch.compile traced 1 frame",)
    assert merged([second, second]).notes == (absent, "torch.compile traced 1 frame")


def test_an_option_of_the_command_is_not_told() -> None:
    audit = AuditReport((), ("Swish may equal torch.silu: --reference Swish=torch:silu",))
    assert merged([audit]).notes == ("Swish may equal torch.silu",)
