"""Shapes that differ: what was not summed, or turned, or kept."""

import pytest
from torch import Tensor

from tests.checker.comparison.compared import network
from tests.checker.given import causes, normal
from torchref import compare


@pytest.mark.parametrize(
    ("manual", "true", "cause", "told"),
    [
        (normal(9, 5), normal(9, 5).sum(0), "missing-reduction", "dimension 0 (of size 9) it"),
        (normal(5, 9), normal(5, 9).sum(1), "missing-reduction", "dimension 1 (of size 9) it"),
        (normal(9, 5), normal(9, 5).mean(0), "missing-reduction", "averaged over dimension 0"),
        (normal(9, 5), normal(5), "missing-reduction", "the numbers differ too"),
        (normal(9, 5), normal(9, 5).sum(), "missing-reduction", "(of size 9) and dimension 1"),
        (normal(1, 5), normal(1, 5)[0], "wrong-shape", "the numbers are right"),
        (normal(1, 5), normal(5, seed=3), "wrong-shape", "the numbers differ too"),
        (normal(9, 5).T, normal(9, 5), "transposed", "permuted by (1, 0)"),
        (normal(5, 9), normal(9, 5, seed=3), "transposed", "the numbers differ too"),
        (normal(9, 5).reshape(5, 9), normal(9, 5), "wrong-shape", "not turned"),
        (normal(4, 3, 2).permute(2, 0, 1), normal(4, 3, 2), "transposed", "(2, 0, 1)"),
        (normal(9, 5).sum(0), normal(9, 5), "wrong-shape", "once too often"),
        (normal(4), normal(9, 5), "wrong-shape", "(4,) in place of (9, 5)"),
        (normal(0, 5), normal(5), "wrong-shape", "(0, 5) in place of (5,)"),
    ],
)
def test_shapes_that_differ(manual: Tensor, true: Tensor, cause: str, told: str) -> None:
    comparison = compare([manual], [true])
    assert comparison.verdict == "different"
    assert causes(comparison)[0] == cause
    assert told in comparison.findings[0].evidence
    assert comparison.rows[0].absolute is None


def test_one_thing_wrong_with_several_names_is_said_once() -> None:
    true = network()
    manual = true | {name: true[name].T for name in ("W1", "W2", "W3")}
    comparison = compare(manual, true)
    assert causes(comparison) == ["transposed"]
    assert comparison.findings[0].argument == "W1, W2, W3"
