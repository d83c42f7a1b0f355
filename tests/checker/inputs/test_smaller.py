"""A large case that is wrong is explained at small sizes, if it is wrong there too."""

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.checker.given import normal, run_of
from tests.corpora.wrong_ops.rule import gradients_of
from torchref import crosscheck
from torchref.checker.execution.run import Run
from torchref.checker.inputs.smaller import smaller_run

LARGE = normal(16, 150), normal(150, 150, seed=1) / 12


def layer(x: Tensor, weight: Tensor) -> Tensor:
    return torch.tanh(x @ weight)


@gradients_of(layer)
def HalfASlope(grad_y, x, weight):
    """tanh(x W), whose slope is taken to be 1 − y where it is 1 − y²."""
    grad_z = grad_y * (1 - layer(x, weight))
    return grad_z @ weight.mT, x.mT @ grad_z


@gradients_of(layer)
def WrongBeyondABlock(grad_y, x, weight):
    grad_z = grad_y * (1 - layer(x, weight) ** 2)
    grad_weight = x.mT @ grad_z
    grad_weight[128:] *= 2
    return grad_z @ weight.mT, grad_weight


@pytest.mark.parametrize("reference", [layer, None])
def test_the_cause_is_found_at_small_sizes(reference: Any) -> None:
    report = crosscheck(HalfASlope, reference, LARGE)
    (finding,) = report.findings
    assert (finding.cause, finding.at) == ("missing-local-derivative", "with small sizes")
    assert "1 − y" in finding.evidence
    assert any("as given: got " in note for note in report.notes)


def test_what_is_wrong_at_large_sizes_only_is_told_there() -> None:
    (finding, *_) = crosscheck(WrongBeyondABlock, layer, LARGE).findings
    assert (finding.cause, finding.argument, finding.at) == ("wrong-elements", "weight", "as given")
    assert finding.element is not None
    assert finding.element[0] >= 128


def test_few_elements_and_a_modules_own_stay_as_they_are() -> None:
    told: list[str] = []

    def smaller(run: Run, elements: int, domain: bool = True) -> Run:
        return smaller_run(run, elements, lambda case: domain, told.append)

    run = run_of(layer, None, *LARGE)
    assert smaller(run, run.case.elements) is run
    assert smaller(run, 100, domain=False) is run
    module = run_of(torch.nn.Linear(150, 150).double(), None, LARGE[0])
    assert smaller(module, 100) is module
    assert told == []
    assert smaller(run, 100).case.elements < 100
    assert told == ["with small sizes"]
