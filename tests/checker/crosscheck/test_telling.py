"""What the call tells: progress as it goes, and the report as a dictionary."""

import json

import pytest
import torch

from tests.checker.given import assert_right, assert_wrong, causes, normal, of_x
from tests.checker.given.candidates import Doubled
from tests.corpora.wrong_ops.rule import SavesInputs, gradients_of
from torchref import compare, crosscheck
from torchref.checker.causes.table import CAUSES
from torchref.ops import Sigmoid


def test_progress_is_told_as_it_goes() -> None:
    told: list[str] = []
    crosscheck(Sigmoid, torch.sigmoid, (normal(4, 3),), progress=told.append)
    assert told[0] == "as given"
    assert {"second order", "vmap", "zeros in x"} <= set(told)


def test_the_dictionary_is_json_and_has_everything() -> None:
    report = crosscheck(Doubled, lambda x: 2 * x, (normal(4, 3),), seed=4)
    told = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert told.keys() == {
        *("candidate", "reference", "seed", "verdict", "worst", "checks", "notes"),
        *("findings", "hazards", "expected"),
    }
    assert (told["candidate"], told["verdict"], told["seed"]) == ("Doubled", "wrong", 4)
    (finding,) = told["findings"]
    assert finding["cause"] == "constant-factor"
    assert finding["argument"] == "x"
    assert len(finding["element"]) == 2
    assert finding["at"] == "as given"
    assert finding["look_at"] == CAUSES["constant-factor"].look_at
    assert {"name", "status", "worst", "note"} == told["checks"][0].keys()
    assert told["worst"] == max(check["worst"] or 0 for check in told["checks"])


@gradients_of(lambda x, y: (x + y, x * y))
def SumAndProduct(grad_sum, grad_product, x, y):
    """Two outputs, of which backward forgets the second."""
    return grad_sum, grad_sum


@pytest.mark.parametrize("reference", [lambda x, y: (x + y, x * y), None], ids=["beside", "alone"])
def test_an_output_whose_gradient_takes_no_part_is_named(reference) -> None:
    inputs = normal(4, 3), normal(4, 3, seed=1)
    (finding,) = crosscheck(SumAndProduct, reference, inputs).findings
    assert (finding.cause, finding.argument) == ("ignores-grad-output", "x, y")
    assert "gradient of output 1 takes no part" in finding.evidence


@gradients_of(lambda a, b: torch.linalg.solve(a, b))
def Solve(grad_x, a, b):
    """x = A⁻¹ b, whose backward solves with A where Aᵀ is due."""
    grad_b = torch.linalg.solve(a, grad_x)
    return -grad_b @ torch.linalg.solve(a, b).mT, grad_b


def test_what_is_specific_stands_before_what_is_not() -> None:
    inputs = (normal(4, 4) + 3 * torch.eye(4, dtype=torch.float64), normal(4, 2, seed=1))
    found = crosscheck(Solve, torch.linalg.solve, inputs, thorough=False).findings
    assert (found[0].cause, found[0].argument) == ("transposed", "b")
    assert found[1].argument == "a"


class Product(SavesInputs):
    """y = x Wᵀ, with its two gradients in each other's place."""

    @staticmethod
    def forward(x, weight):
        return x @ weight.mT

    @staticmethod
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        needed = ctx.needs_input_grad
        grad_x = grad_y @ weight if needed[0] else None
        grad_weight = grad_y.mT @ x if needed[1] else None
        return grad_weight, grad_x


def test_swapped_gradients_explain_why_they_depend_on_what_requires_grad() -> None:
    inputs = (normal(4, 4), normal(4, 4, seed=1))
    found = causes(crosscheck(Product, lambda x, weight: x @ weight.mT, inputs))
    assert found[0] == "swapped-arguments"
    assert "depends-on-requires-grad" in found[1:]


def decaying(xs, start):
    states = []
    for x in xs:
        start = torch.exp(-start) + x
        states.append(start)
    return torch.stack(states)


@gradients_of(decaying)
def FirstStep(grad_y, xs, start):
    """Of a recurrence the backward whose start hears the first step alone."""
    y, grad_xs = decaying(xs, start), grad_y.clone()
    for turn in reversed(range(1, len(xs))):
        grad_xs[turn - 1] -= grad_xs[turn] * torch.exp(-y[turn - 1])
    return grad_xs, -grad_y[0] * torch.exp(-start)


def test_what_is_no_broadcast_lacks_no_reduction() -> None:
    inputs = (normal(5, 3), normal(3, seed=1))
    (finding,) = crosscheck(FirstStep, decaying, inputs, thorough=False).findings
    assert "only the first slice of grad_output along dimension 0 enters" in finding.evidence
    assert finding.cause == "missing-term"


def test_a_wrong_forward_is_told_by_its_place_and_a_backward_that_is_right_is_called_so() -> None:
    candidate = of_x(lambda x: 1.1 * torch.sin(x), lambda grad_y, x: grad_y * torch.cos(x))
    report = crosscheck(candidate, torch.sin, (normal(2, 3),))
    assert causes(report) == ["forward-wrong", "forward-wrong"]
    assert "it is right once the forward is" in report.findings[1].evidence
    assert "forward-wrong in the output at [0, 0], as given" in str(report)
    assert "the output at [0, 0] is " in report.findings[0].evidence
    alone = crosscheck(candidate, torch.sin, (torch.tensor(0.5, dtype=torch.float64),))
    assert "forward-wrong in the output, as given" in str(alone)


def test_a_notebook_shows_the_story() -> None:
    report = crosscheck(Doubled, lambda x: 2 * x, (normal(4, 3),))
    assert repr(report) == str(report)
    comparison = compare({"W": normal(3)}, {"W": normal(3)})
    assert repr(comparison) == str(comparison)


def test_a_gradient_that_is_not_finite_where_the_forward_is_smooth_is_wrong() -> None:
    square = of_x(torch.square, lambda grad_y, x: grad_y * 2 * (x * x) / x)  # 0/0 where x is 0
    report = assert_wrong(square, inputs=(normal(4, 3),))
    assert {(each.cause, each.argument) for each in report.findings} == {("not-finite", "x")}
    assert "got nan, should be 0" in report.findings[0].evidence


def test_a_gradient_that_is_not_finite_is_told_though_differences_cannot_judge_it() -> None:
    absolute = of_x(torch.abs, lambda grad_y, x: grad_y * x / x.abs())  # 0/0 at its kink
    report = assert_right(absolute, inputs=(normal(4, 3),))
    (note,) = (note for note in report.notes if "not finite" in note)
    assert "in x: the gradient is not finite where the forward is" in note
    assert "give a reference" in note


def test_a_gradient_that_is_not_finite_is_json_too() -> None:
    pole = of_x(torch.clone, lambda grad_y, x: grad_y / 0)
    report = crosscheck(pole, torch.clone, (normal(4, 3),))
    assert "not-finite" in causes(report)
    json.dumps(report.to_dict(), allow_nan=False)
