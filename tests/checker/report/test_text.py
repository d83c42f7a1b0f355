"""The report on a terminal: the verdict, each finding in three lines, colour only on a terminal."""

import io

import pytest
from rich.console import Console

from tests.checker.given import normal
from torchref import Finding, Report, crosscheck
from torchref.checker import Check
from torchref.checker.causes.table import CAUSES
from torchref.checker.report.text import show, tell

REPORT = Report(
    "Affine",
    "linear",
    0,
    (
        Finding("sign-flipped", "weight", (2, 0), "every entry is −1 times the true one"),
        Finding("raises", None, None, "by 0", "zeros in x"),
        Finding("constant-factor", "scale", (), "it is [2] times the true one"),
    ),
    (
        Check("contract", "passed"),
        Check("forward", "passed", 0.5),
        Check("gradient by reference", "failed", 12345.678),
        Check("vmap", "skipped", None, "not offered"),
        Check("second order", "cannot tell", None, "it does not settle"),
    ),
    ("x: a kink",),
)


def shown(terminal: bool, width: int = 60) -> str:
    screen = io.StringIO()
    show(REPORT, Console(file=screen, force_terminal=terminal, width=width))
    return screen.getvalue()


def test_the_story() -> None:
    assert tell(REPORT).splitlines() == [
        "Affine against linear: wrong",
        "  1. sign-flipped in weight[2, 0], as given",
        "     every entry is −1 times the true one",
        f"     {CAUSES['sign-flipped'].look_at}",
        "  2. raises in the call, zeros in x",
        "     by 0",
        f"     {CAUSES['raises'].look_at}",
        "  3. constant-factor in scale, as given",
        "     it is [2] times the true one",
        f"     {CAUSES['constant-factor'].look_at}",
        "  note: x: a kink",
        "  passed: contract, forward",
        "  skipped: vmap: not offered",
        "  cannot tell: second order: it does not settle",
        "  worst error: 1.2e+04 of its tolerance",
    ]


def test_what_one_reason_left_out_is_told_in_one_line() -> None:
    over = "the 1 s of seconds= were over"
    checks = [Check(name, "skipped", None, over) for name in ("mutation", "vmap")]
    checks.insert(1, Check("low precision", "skipped", None, "no reference"))
    report = Report("Affine", None, 0, (), tuple(checks))
    assert [line for line in tell(report).splitlines() if "skipped" in line] == [
        f"  skipped: mutation, vmap: {over}",
        "  skipped: low precision: no reference",
    ]
    assert len(report.to_dict()["checks"]) == 3


def test_a_report_prints_its_story() -> None:
    assert str(REPORT) == tell(REPORT)


@pytest.mark.parametrize("width", [20, 60, 200])
def test_what_is_no_terminal_gets_the_same_words_without_colour_or_breaks(width: int) -> None:
    assert shown(terminal=False, width=width) == tell(REPORT) + "\n"


def test_a_terminal_gets_colour() -> None:
    assert "\x1b[" in shown(terminal=True)


def test_the_story_of_a_wrong_gradient_has_both_values() -> None:
    x = normal(4, 3)
    told = str(crosscheck(lambda x: (x**2 + (x**2).detach()) / 2, lambda x: x**2, (x,)))
    assert "0.5 times" in told
    assert "got " in told
    assert "should be " in told
