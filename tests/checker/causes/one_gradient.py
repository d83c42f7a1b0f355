"""One wrong gradient, and the first cause that it is given."""

from torch import Tensor

from tests.checker.given import normal
from torchref.checker.causes.mismatch import Hypothesis, Mismatch
from torchref.checker.causes.search import described, recognised
from torchref.checker.causes.table import CAUSES

X, TRUE = normal(5, 4), normal(5, 4, seed=1)


def wrong(got: Tensor, true: Tensor = TRUE, **more) -> Mismatch:
    near = (got - true).abs() <= 1e-9 * true.abs()
    values = {"x": X} if X.shape == true.shape else {}
    return Mismatch("x", got, true, ~near, **{"values": values, **more})


def hypotheses(wrong: Mismatch) -> list[Hypothesis]:
    return recognised(wrong) or [described(wrong)]


def first(got: Tensor, true: Tensor = TRUE, **more) -> tuple[str, str]:
    hypothesis = hypotheses(wrong(got, true, **more))[0]
    assert hypothesis.cause in CAUSES
    return hypothesis.cause, hypothesis.evidence
