"""Two results of one computation agree up to the order of its sums, and no further."""

import pytest
import torch
from torch import Tensor

from tests.checker.given import normal, run_of
from torchref.checker.execution.arithmetic import agree
from torchref.checker.probes.difference import first_difference

X = normal(5, 4)
NAN, INF = torch.nan, torch.inf


TERMS = normal(1000, 7)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (X, X.clone(), True),
        (None, None, True),
        (X[:0], X[:0], True),
        (TERMS.sum(0), TERMS.flip(0).sum(0), True),  # the order of a sum
        (X.float(), X.float() * (1 + 1e-6), True),  # roundings of a lower precision
        (X.float(), X.float() * (1 + 1e-3), False),
        (X, X.mT, False),
        (X, X[:1], False),
        (None, torch.zeros(3), True),
        (None, torch.tensor([0.0, 1e-9]), False),
    ],
)
def test_what_agrees(a: Tensor | None, b: Tensor | None, same: bool) -> None:
    assert agree(a, b) is same


@pytest.mark.parametrize("error", [1e-3, 1e-9, 1e-12])
def test_what_differs_by_more_does_not_agree(error: float) -> None:
    other = X.clone()
    other[2, 1] += error
    assert not agree(X, other)
    assert agree(X, other, floor=2 * error)
    assert agree(X, other, relative=2 * error / float(X.square().mean().sqrt()))


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [(NAN, NAN, True), (INF, INF, True), (INF, -INF, False), (NAN, 1.0, False), (INF, NAN, False)],
)
def test_nan_and_infinity_equal_themselves(a: float, b: float, same: bool) -> None:
    pair = [torch.tensor([1.0, value], dtype=torch.float64) for value in (a, b)]
    assert agree(*pair) is same


def test_zeros_for_which_none_stands_have_a_floor() -> None:
    assert agree(torch.full((3,), 1e-9), None, floor=1e-8)


def test_the_first_difference_has_a_name_an_element_and_both_values() -> None:
    run = run_of(lambda left, right: left * right, None, X, X + 1)
    other = X.clone()
    other[3, 2] = 7.0
    assert first_difference(run, (X, X), (X, X)) is None
    name, element, values = first_difference(run, (X, X), (X, other))
    assert (name, element) == ("right", (3, 2))
    assert values == f"{X[3, 2]:.6g} became 7"
    assert first_difference(run, (X,), (other,), places=[1])[0] == "right"


def test_the_element_told_is_one_that_differs() -> None:
    """NaN on both sides is the same, though their difference is none."""
    run = run_of(torch.sin, None, X)
    before, after = X.clone(), X.clone()
    before[0, 0] = after[0, 0] = NAN
    after[1, 3] = 5.0
    _, element, values = first_difference(run, (before,), (after,))
    assert element == (1, 3)
    assert "nan" not in values


def test_none_and_another_shape_are_told() -> None:
    run = run_of(torch.sin, None, X)
    assert first_difference(run, (X,), (None,))[1:] == (
        None,
        "a gradient of shape (5, 4) became None",
    )
    assert "(4, 5)" in first_difference(run, (X,), (X.mT,))[2]


def test_what_was_computed_in_single_precision_is_compared_in_it() -> None:
    run = run_of(torch.sin, None, X)
    before = X.float().double()
    after = (X.float() * (1 + 1e-6)).double()
    assert first_difference(run, (before,), (after,)) is None
    assert first_difference(run, (before,), (1.01 * before,)) is not None
    assert first_difference(run, (X,), (X * (1 + 1e-6),)) is not None  # all digits are there
