"""A cross-check of the given inputs alone, as training does of its live batch."""

import pytest
import torch

from tests.checker.given import assert_right, assert_wrong
from tests.corpora.wrong_ops.rule import gradients_of
from torchref import InputError, crosscheck, nn
from torchref.ops import Sigmoid


@gradients_of(lambda x: torch.tanh(x))
def HalvedAboveZero(grad_y, x):
    """Wrong where an entry is positive, and nowhere else."""
    slope = 1 - torch.tanh(x).square()
    return grad_y * torch.where(x > 0, slope / 2, slope)


def test_it_says_what_is_wrong_where_and_why() -> None:
    x = torch.tensor([[-1.0, -2.0], [-0.5, 3.0]])
    report = assert_wrong(HalvedAboveZero, torch.tanh, (x,), thorough=False)
    assert (report.findings[0].argument, report.findings[0].element) == ("x", (1, 1))


def test_it_tries_no_input_but_the_given() -> None:
    below = (-torch.rand(3, 4),)
    assert_right(HalvedAboveZero, torch.tanh, below, thorough=False)
    assert_wrong(HalvedAboveZero, torch.tanh, below)


@pytest.mark.parametrize("reference", [torch.sigmoid, None])
def test_a_right_gradient_is_right(reference) -> None:
    report = assert_right(Sigmoid, reference, (torch.randn(3, 4),), thorough=False)
    assert len(report.checks) < 4


def test_parameters_are_checked_as_they_stand() -> None:
    class Doubled(nn.Linear):
        def forward(self, input: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.linear(input, 2 * self.weight - self.weight.detach())

    network, twin = Doubled(3, 2, bias=False), torch.nn.Linear(3, 2, bias=False)
    report = crosscheck(network, twin, (torch.randn(4, 3),), thorough=False)
    assert {finding.argument for finding in report.findings} >= {"weight"}


@pytest.mark.parametrize("reference", [torch.tanh, None])
@pytest.mark.parametrize("thorough", [True, False])
def test_it_says_what_is_wrong_and_where_without_a_cause(reference, thorough: bool) -> None:
    x = torch.tensor([[-1.0, -2.0], [-0.5, 3.0]])
    report = crosscheck(HalvedAboveZero, reference, (x,), thorough=thorough, diagnose=False)
    finding = report.findings[0]
    assert report.verdict == "wrong"
    assert (finding.cause, finding.argument, finding.element) == ("wrong-elements", "x", (1, 1))
    assert "its cause was not sought, by diagnose=False; got " in finding.evidence
    right = crosscheck(Sigmoid, torch.sigmoid, (x,), thorough=thorough, diagnose=False)
    assert right.verdict == "right"


def test_nor_is_a_cause_sought_at_the_variations() -> None:
    report = crosscheck(HalvedAboveZero, torch.tanh, (-torch.rand(3, 4),), diagnose=False)
    wrong = [finding for finding in report.findings if finding.argument]
    assert wrong
    assert all("its cause was not sought" in finding.evidence for finding in wrong)


def test_what_is_expected_goes_by_the_cause_that_is_not_sought() -> None:
    with pytest.raises(InputError, match="diagnose must be True where causes are expected, but "):
        crosscheck(
            Sigmoid, inputs=(torch.randn(2),), expect={"sign-flipped": "meant"}, diagnose=False
        )
