"""Of the variations, those count at which the reference is the function that it is as given."""

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.checker.given import assert_right, assert_wrong, case_of, normal, of_x, run_of
from torchref.checker.execution.subject import as_subject
from torchref.checker.inputs.domain import is_defined, is_same_function

X = normal(3, 4)
TWICE = of_x(torch.sin, lambda grad_y, x: 2 * grad_y * x.cos())


def asked(function: Any, given: Tensor, varied: Tensor, kind: str) -> bool:
    return is_same_function(run_of(function, function, varied), kind, case_of(function, given))


@pytest.mark.parametrize(
    "function", [torch.sin, torch.sum, lambda x: x.softmax(-1), lambda x: x[..., 0]]
)
def test_sample_after_sample_or_summed_it_is_the_same(function: Any) -> None:
    assert asked(function, X, torch.stack([X, X]), "ranks")
    assert asked(function, X, X[0], "ranks")


@pytest.mark.parametrize("function", [lambda x: x.softmax(0), lambda x: x.cumsum(0)])
def test_at_another_rank_it_may_be_another_function(function: Any) -> None:
    assert not asked(function, X, torch.stack([X, 2 * X]), "ranks")
    assert not asked(function, X, X[0], "ranks")
    assert asked(function, X, 2 * X, "values")


def test_an_empty_output_has_no_sample_to_compare() -> None:
    empty = torch.zeros(0, dtype=torch.float64)
    for x in (X[0], X):
        assert_right(lambda x, y: (x.sin(), y.sin()), None, (x, empty))
    assert_wrong(
        lambda x, y: (TWICE.apply(x), y.sin()), lambda x, y: (x.sin(), y.sin()), (X, empty)
    )


def test_what_it_holds_itself_is_not_broadcast() -> None:
    weights = torch.arange(1.0, 5.0, dtype=torch.float64)
    assert not asked(lambda x: x * weights, X, X[:, :1], "sizes")
    assert asked(lambda x: x * weights[: x.shape[1]], X, X[:, :1], "sizes")


def test_a_backward_may_refuse_where_nothing_is_defined() -> None:
    log_determinant = of_x(torch.logdet, lambda grad_y, x: grad_y * torch.linalg.inv(x).mT)
    candidate = as_subject(log_determinant)
    x = torch.eye(3, dtype=torch.float64) + 0.1 * normal(3, 3).abs()
    for reference in (None, as_subject(torch.logdet)):
        for at, defined in ((x, True), (torch.zeros_like(x), False)):
            assert is_defined(reference, candidate, case_of(log_determinant, at), 0) is defined
    assert_right(log_determinant, torch.logdet, (x,))
