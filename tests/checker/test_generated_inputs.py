"""What the variations of the inputs leave in the report besides findings."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from tests.checker.given import assert_right, assert_wrong, gradients_in, normal, of_x, statuses
from tests.corpora.wrong_ops.right_rules import Lookup
from tests.corpora.wrong_ops.rule import gradients_of
from torchref import Report, crosscheck

X = normal(4, 5)


def notes(report: Report, word: str) -> list[str]:
    assert report.verdict == "right", str(report)
    return [note for note in report.notes if word in note]


def test_a_convention_met_in_many_variations_is_noted_once() -> None:
    relu = of_x(torch.relu, lambda grad_y, x: grad_y * (x >= 0))
    (note,) = notes(crosscheck(relu, torch.relu, (X,)), "no derivative")
    assert "one entry has no derivative" in note
    assert note.endswith("more of the variations)")


def test_a_backward_that_refuses_what_its_forward_accepts_is_noted() -> None:
    @gradients_of(lambda x: x.sum(-1))
    def Rows(grad_y, x):
        """Σ over the last dimension, whose backward knows matrices only."""
        rows, columns = x.shape
        return grad_y.reshape(rows, 1).expand(rows, columns)

    (note,) = notes(crosscheck(Rows, Rows.forward, (X,)), "the backward refuses")
    assert "not enough values to unpack" in note or "too many values to unpack" in note


def test_sparse_gradients_are_tried_with_everything() -> None:
    @gradients_in(Lookup)
    def SparseLookup(grad_y, weight, index):
        indices, rows = index.reshape(1, -1), grad_y.reshape(-1, grad_y.shape[-1])
        return torch.sparse_coo_tensor(indices, rows, weight.shape), None

    inputs = (X, torch.tensor([0, 2, 2]))
    report = assert_right(SparseLookup, lambda weight, index: F.embedding(index, weight), inputs)
    assert statuses(report)["mutation"] == "passed"


WRONG_BEYOND_THREE = of_x(torch.square, lambda grad_y, x: grad_y * 2 * x.clamp(-3, 3))


@pytest.mark.parametrize("reference", [None, torch.square])
def test_it_is_said_that_the_inputs_given_are_right(reference: Any) -> None:
    report = assert_wrong(WRONG_BEYOND_THREE, reference, (X,))
    (note,) = (note for note in report.notes if "domain= and vary= say" in note)
    assert "at the inputs given it is right" in note
    assert ("accepts them" in note) == (reference is not None)
    status = statuses(assert_right(WRONG_BEYOND_THREE, reference, (X,), vary=False))
    assert status["variations of the inputs"] == "skipped"
    assert status["mutation"] == status["second order"] == "passed"


def test_of_the_inputs_given_no_such_thing_is_said() -> None:
    report = assert_wrong(WRONG_BEYOND_THREE, torch.square, (9 * X,))
    assert not any("domain= and vary= say" in note for note in report.notes)


def smoothed(grad_y, x, smoothing, of_one_class):
    share = smoothing / x.shape[-1]
    target = torch.cat([torch.full_like(x[:, :1], 1 - smoothing + share), x[:, 1:] * 0 + share], -1)
    one = of_one_class if x.shape[-1] == 1 else 0.0
    return grad_y / len(x) * (x.softmax(-1) - target + one * 1e-9), None


def smoothed_loss(x, smoothing):
    log_p = x.log_softmax(-1)
    return -((1 - smoothing) * log_p[:, 0] + smoothing * log_p.mean(-1)).mean()


@pytest.mark.parametrize(("of_one_class", "verdict"), [(0.0, "right"), (1.0, "wrong")])
def test_what_rounding_leaves_of_0_is_no_gradient(of_one_class: float, verdict: str) -> None:
    """With one class the loss stands still, and 1 − 0.9 − 0.1 is −2.8e-17."""

    @gradients_of(smoothed_loss)
    def Smoothed(grad_y, x, smoothing):
        return smoothed(grad_y, x, smoothing, of_one_class)

    report = crosscheck(Smoothed, None, (X, 0.1))
    assert report.verdict == verdict, str(report)


def test_a_hazard_in_every_variation_ends_none_of_them() -> None:
    low = X.clamp(-2, 2).bfloat16()

    @gradients_of(lambda x: x**2)
    def Cast(grad_y, x):
        """A float32 gradient of bfloat16, which autograd casts."""
        return (grad_y * 2 * x).float()

    report = assert_right(Cast, torch.square, (low,))
    assert [(each.cause, each.at) for each in report.hazards] == [("wrong-dtype", "as given")]
    assert not [note for note in report.notes if "domain= and vary= say" in note]

    @gradients_of(lambda x: x**2)
    def WrongBeyondThreeBesides(grad_y, x):
        return (grad_y * 2 * x.clamp(-3, 3)).float()

    assert_wrong(WrongBeyondThreeBesides, torch.square, (low,))
