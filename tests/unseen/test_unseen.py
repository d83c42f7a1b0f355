"""What the checker says of bugs and of right functions that were written without knowledge of it.

The sets below are strict: what is seen, named or acquitted by now must leave them.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.random_inputs import Inputs, seeded
from torchref import Report, crosscheck
from torchref.checker.causes import CAUSES

from . import BUGS, BY_HAND, RIGHT, ByHand, UnseenBug

NOT_SEEN_FROM_ORDINARY_INPUTS = {}
NOT_NAMED_YET = {}

ACCUSED_WITH_REASON = {}
ACCUSED_ALONE_WITH_REASON = {}

every_bug = pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
every_right_function = pytest.mark.parametrize("op", RIGHT, ids=lambda op: op.name)


def report_on(candidate: Any, reference: Callable[..., Any] | None, inputs: Inputs) -> Report:
    torch.manual_seed(0)  # some candidates draw from the default generator
    return crosscheck(candidate, reference, inputs(seeded(0)), seed=0)


def test_there_are_as_many_as_at_the_first_look() -> None:
    assert len(BUGS) == 151
    assert len(RIGHT) == 138
    assert len({bug.name for bug in BUGS}) == len(BUGS)
    assert len({op.name for op in BY_HAND}) == len(BY_HAND)


def test_the_sets_name_what_there_is() -> None:
    bugs, right = {bug.name for bug in BUGS}, {op.name for op in RIGHT}
    with_ordinary_inputs = {bug.name for bug in BUGS if bug.slip.ordinary}
    assert with_ordinary_inputs >= NOT_SEEN_FROM_ORDINARY_INPUTS
    assert bugs >= NOT_NAMED_YET
    assert right >= {*ACCUSED_WITH_REASON, *ACCUSED_ALONE_WITH_REASON}


@every_bug
def test_its_causes_are_among_those_that_there_are(bug: UnseenBug) -> None:
    assert bug.causes
    assert set(bug.causes) <= set(CAUSES)


@every_bug
def test_a_bug_is_caught_at_its_tripping_input_and_named(bug: UnseenBug) -> None:
    report = report_on(bug.wrong, bug.reference, bug.tripping)
    assert report.verdict == "wrong", str(report)
    named = report.findings[0].cause in bug.causes
    assert named is (bug.name not in NOT_NAMED_YET), f"{bug.causes}\n{report}"


@pytest.mark.parametrize(
    "bug", [bug for bug in BUGS if bug.slip.ordinary], ids=lambda bug: bug.name
)
def test_a_bug_is_caught_from_ordinary_inputs(bug: UnseenBug) -> None:
    report = report_on(bug.wrong, bug.reference, bug.ordinary)
    seen = report.verdict == "wrong"
    assert seen is (bug.name not in NOT_SEEN_FROM_ORDINARY_INPUTS), str(report)


@every_right_function
def test_a_right_function_is_right_with_its_reference(op: ByHand) -> None:
    report = report_on(op.written(), op.reference, op.inputs)
    accused = report.verdict != "right"
    assert accused is (op.name in ACCUSED_WITH_REASON), str(report)


@every_right_function
def test_a_right_function_is_right_without_a_reference(op: ByHand) -> None:
    report = report_on(op.written(), None, op.inputs)
    accused = report.verdict != "right"
    assert accused is (op.name in ACCUSED_ALONE_WITH_REASON), str(report)
