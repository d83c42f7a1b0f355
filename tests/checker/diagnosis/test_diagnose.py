"""What is wrong is told to be so, whatever becomes of the search for its cause."""

import pytest
import torch

from tests.checker.given import assert_wrong, normal, of_x
from tests.corpora.wrong_ops.rule import gradients_of
from torchref import crosscheck
from torchref.checker.diagnosis import diagnose as accusation


def test_a_search_that_fails_leaves_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise IndexError("dimension out of range")

    monkeypatch.setattr(accusation, "recognised", broken)
    doubled = of_x(torch.sin, lambda grad_y, x: 2 * grad_y * torch.cos(x))
    (finding,) = assert_wrong(doubled, torch.sin, (normal(3, 4),)).findings
    assert (finding.cause, finding.argument) == ("wrong-elements", "x")
    assert "could not be sought: IndexError: dimension out of range" in finding.evidence
    assert "should be" in finding.evidence


@gradients_of(lambda a, b: a * b**2)
def Scaled(grad_y, a, b):
    """y = a b², whose gradients stand in each other's place."""
    return grad_y * 2 * a * b, grad_y * b**2


@pytest.mark.parametrize("reference", [Scaled.forward, None], ids=["beside", "alone"])
def test_gradients_in_each_others_place_are_known_with_and_without_a_reference(reference) -> None:
    inputs = {"a": normal(4, 3), "b": normal(4, 3, seed=1)}
    (finding,) = crosscheck(Scaled, reference, inputs, thorough=False).findings
    assert (finding.cause, finding.argument) == ("swapped-arguments", "a, b")
    assert "a and b hold each other's true gradient" in finding.evidence
