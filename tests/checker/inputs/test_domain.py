"""Of the variations, those count at which the reference is the function that it is as given."""

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.checker.given.runs import case_of, normal, run_of
from tests.checker.given.verdicts import assert_right
from tests.corpora.wrong_ops.rule import gradients_of
from torchref.checker.execution.case import Case
from torchref.checker.execution.subject import as_subject
from torchref.checker.inputs.domain import is_defined, is_same_function

X = normal(3, 4)


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


def test_what_it_holds_itself_is_not_broadcast() -> None:
    weights = torch.arange(1.0, 5.0, dtype=torch.float64)
    assert not asked(lambda x: x * weights, X, X[:, :1], "sizes")
    assert asked(lambda x: x * weights[: x.shape[1]], X, X[:, :1], "sizes")


@gradients_of(lambda x: torch.logdet(x))
def LogDeterminant(grad_y, x):
    return grad_y * torch.linalg.inv(x).mT


def test_a_backward_may_refuse_where_nothing_is_defined() -> None:
    def defined(reference: Any, x: Tensor) -> bool:
        subject = None if reference is None else as_subject(reference)
        case: Case = case_of(LogDeterminant, x)
        return is_defined(subject, as_subject(LogDeterminant), case, 0)

    x = torch.eye(3, dtype=torch.float64) + 0.1 * normal(3, 3).abs()
    for reference in (None, torch.logdet):
        assert defined(reference, x)
        assert not defined(reference, torch.zeros_like(x))
    assert_right(LogDeterminant, torch.logdet, (x,))
