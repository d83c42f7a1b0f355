"""What is wrong is told to be so, whatever becomes of the search for its cause."""

import pytest
import torch

from tests.checker.scenes import normal
from tests.wrong_ops.rule import Rule
from torchref import crosscheck
from torchref.checker import accusation


class Doubled(Rule):
    @staticmethod
    def forward(x):
        return torch.sin(x)

    @staticmethod
    def gradients(grad_y, x):
        return 2 * grad_y * torch.cos(x)


def test_a_search_that_fails_leaves_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise IndexError("dimension out of range")

    monkeypatch.setattr(accusation, "recognised", broken)
    report = crosscheck(Doubled, torch.sin, (normal(3, 4),))
    assert report.verdict == "wrong"
    (finding,) = report.findings
    assert (finding.cause, finding.argument) == ("wrong-elements", "x")
    assert "could not be sought: IndexError: dimension out of range" in finding.evidence
    assert "should be" in finding.evidence
