"""What many tests of the checker are given: inputs, Functions, runs, verdicts."""

from tests.checker.given.functions import backward_in, gradients_in, of_x
from tests.checker.given.runs import (
    assert_right,
    assert_wrong,
    case_of,
    causes,
    normal,
    run_of,
    seeded,
    statuses,
)

__all__ = [
    "assert_right",
    "assert_wrong",
    "backward_in",
    "case_of",
    "causes",
    "gradients_in",
    "normal",
    "of_x",
    "run_of",
    "seeded",
    "statuses",
]
