"""It must be able to fail: every op that is wrong on purpose is caught, its control is not."""

import pytest

from tests.checker.report.planted_reports import named, ratio, report_on
from tests.corpora.wrong_ops import PLANTED, PlantedBug
from torchref.checker.diagnosis.diagnose import UNSOUGHT

NINE_OF_TEN = 0.9
BUGS = pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name)
INPUTS = pytest.mark.parametrize("inputs", ["tripping", "ordinary"])


@BUGS
def test_a_planted_bug_is_caught_at_its_tripping_input(bug: PlantedBug) -> None:
    report = report_on(bug, "wrong", "tripping")
    assert report.verdict == "wrong", str(report)
    assert UNSOUGHT not in str(report)


@INPUTS
@BUGS
def test_the_mended_op_is_right(bug: PlantedBug, inputs: str) -> None:
    report = report_on(bug, "right", inputs)
    assert report.verdict == "right", str(report)


def test_nine_of_ten_are_caught_from_ordinary_inputs() -> None:
    caught = {bug.name: report_on(bug, "wrong", "ordinary").verdict == "wrong" for bug in PLANTED}
    missed = [name for name, seen in caught.items() if not seen]
    assert ratio(list(caught.values())) >= NINE_OF_TEN, missed


@INPUTS
def test_nine_of_ten_of_those_caught_carry_the_right_cause_first(inputs: str) -> None:
    reports = {bug: report_on(bug, "wrong", inputs) for bug in PLANTED}
    caught = {bug: report for bug, report in reports.items() if report.verdict == "wrong"}
    misnamed = {
        bug.name: (bug.causes, [finding.cause for finding in report.findings])
        for bug, report in caught.items()
        if not named(bug, report)
    }
    assert len(misnamed) <= (1 - NINE_OF_TEN) * len(caught), misnamed
