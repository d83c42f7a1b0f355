"""The search for one mistake ends: after much going back, no single step is tried any more."""

import pytest
import torch
from torch.autograd import Function

from tests.checker.given.runs import normal
from tests.corpora.wrong_ops.rule import gradients_of
from torchref import Finding, crosscheck
from torchref.checker.diagnosis.replay import search

INPUTS = (normal(6, 3), normal(3, 5, seed=1), normal(5, 2, seed=2))


def two_layers(x, first, second):
    hidden = torch.tanh(x @ first)
    return torch.tanh(hidden @ second)


def without_slopes(of_the_first: bool, of_the_second: bool) -> type[Function]:
    @gradients_of(two_layers)
    def TwoLayers(grad_y, x, first, second):
        hidden = torch.tanh(x @ first)
        y = torch.tanh(hidden @ second)
        grad_z = grad_y if of_the_second else grad_y * (1 - y**2)
        back = grad_z @ second.mT
        grad_a = back if of_the_first else back * (1 - hidden**2)
        return grad_a @ first.mT, x.mT @ grad_a, hidden.mT @ grad_z

    return TwoLayers


def first_finding(candidate: type[Function]) -> Finding:
    return crosscheck(candidate, two_layers, INPUTS).findings[0]


def test_a_mistake_of_one_step_is_sought_while_there_is_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = without_slopes(of_the_first=True, of_the_second=False)
    assert "missing through tanh in" in first_finding(wrong).evidence
    monkeypatch.setattr(search, "MOST_GONE_BACK", 0)
    assert "missing through tanh in" not in first_finding(wrong).evidence


def test_one_made_in_all_steps_of_a_kind_is_sought_for_all_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search, "MOST_GONE_BACK", 0)
    wrong = without_slopes(of_the_first=True, of_the_second=True)
    assert "in all 2 steps of this kind" in first_finding(wrong).evidence
