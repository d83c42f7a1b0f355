"""What the call tells: progress as it goes, and the report as a dictionary."""

import json

import pytest
import torch

from tests.checker.half_right import Doubled, causes
from tests.checker.scenes import normal
from tests.wrong_ops.rule import Rule
from torchref import compare, crosscheck
from torchref.checker.causes import CAUSES
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
        *("candidate", "reference", "seed", "verdict", "worst", "findings", "checks", "notes")
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


class SumAndProduct(torch.autograd.Function):
    """Two outputs, of which backward forgets the second."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x + y, x * y

    @staticmethod
    def backward(ctx, grad_sum, grad_product):
        return grad_sum, grad_sum


@pytest.mark.parametrize("reference", [lambda x, y: (x + y, x * y), None], ids=["beside", "alone"])
def test_an_output_whose_gradient_takes_no_part_is_named(reference) -> None:
    report = crosscheck(SumAndProduct, reference, (normal(4, 3), normal(4, 3, seed=1)))
    (finding,) = report.findings
    assert (finding.cause, finding.argument) == ("ignores-grad-output", "x, y")
    assert "gradient of output 1 takes no part" in finding.evidence


def test_a_notebook_shows_the_story() -> None:
    report = crosscheck(Doubled, lambda x: 2 * x, (normal(4, 3),))
    assert repr(report) == str(report)
    comparison = compare({"W": normal(3)}, {"W": normal(3)})
    assert repr(comparison) == str(comparison)


class Square(torch.autograd.Function):
    """Right, but for 0/0 where x is 0."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * 2 * (x * x) / x


def test_a_gradient_that_is_not_finite_where_the_forward_is_smooth_is_wrong() -> None:
    report = crosscheck(Square, inputs=(normal(4, 3),))
    assert report.verdict == "wrong"
    assert {(each.cause, each.argument) for each in report.findings} == {("not-finite", "x")}
    assert "got nan, should be 0" in report.findings[0].evidence


class Absolute(torch.autograd.Function):
    """Right, but for 0/0 where x is 0: there it has a kink."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.abs()

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * x / x.abs()


def test_a_gradient_that_is_not_finite_is_told_though_differences_cannot_judge_it() -> None:
    report = crosscheck(Absolute, inputs=(normal(4, 3),))
    assert report.verdict == "right"
    (note,) = (note for note in report.notes if "not finite" in note)
    assert "in x: the gradient is not finite where the forward is" in note
    assert "give a reference" in note


def test_a_gradient_that_is_not_finite_is_json_too() -> None:
    class Pole(Rule):
        @staticmethod
        def forward(x):
            return x * 1

        @staticmethod
        def gradients(grad_y, x):
            return grad_y / 0

    report = crosscheck(Pole, lambda x: x * 1, (normal(4, 3),))
    assert "not-finite" in causes(report)
    json.dumps(report.to_dict(), allow_nan=False)
