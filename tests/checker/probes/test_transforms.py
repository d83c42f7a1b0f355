"""Under vmap, along any dimension, with shared inputs, and with gradients inside and through it."""

import pytest
import torch.nn.functional as F

from tests.checker.given.functions import gradients_in
from tests.checker.given.runs import run_of
from tests.checker.probes.findings import Square, X, found
from tests.corpora.wrong_ops.right_rules import Multiply
from torchref.checker.probes.transforms import vmap_agrees


def test_the_right_one_passes() -> None:
    assert found(vmap_agrees, Square) == []
    assert found(vmap_agrees, F.softplus) == []


def test_a_function_without_a_rule_is_skipped() -> None:
    class NoRule(Square):
        generate_vmap_rule = False

    assert vmap_agrees(run_of(NoRule, None, X)).skipped.startswith("not offered")


def test_a_rule_for_another_dimension() -> None:
    class Flips(Square):
        generate_vmap_rule = False

        @staticmethod
        def vmap(info, in_dims, x):
            return Flips.apply(x.flip(in_dims[0])), in_dims[0]

    assert found(vmap_agrees, Flips) == [("vmap-wrong", None)]


@pytest.mark.parametrize(
    ("shared", "told"), [("left", "in_dims=(None, 0)"), ("right", "in_dims=(0, None)")]
)
def test_the_gradient_through_a_rule_of_what_is_shared(shared: str, told: str) -> None:
    @gradients_in(Multiply)
    def OfTheFirstSample(grad_y, left, right):
        grads = {"left": grad_y * right, "right": grad_y * left}
        if grads[shared].dim() > X.dim() and min(left.dim(), right.dim()) == X.dim():
            grads[shared] = grads[shared][0]
        return tuple(grads.values())

    class Product(Multiply):
        generate_vmap_rule = False

        @staticmethod
        def vmap(info, in_dims, left, right):
            sides = zip((left, right), in_dims, strict=True)
            moved = (x if dim is None else x.movedim(dim, 0) for x, dim in sides)
            return OfTheFirstSample.apply(*moved), 0

    (finding,) = vmap_agrees(run_of(Product, None, X, X + 1)).findings
    assert (finding.cause, finding.argument) == ("vmap-wrong", shared)
    assert told in finding.evidence


def test_out_dims_that_are_right_along_the_first_dimension_only() -> None:
    class InPlaceOfTheInput(Square):
        generate_vmap_rule = False

        @staticmethod
        def vmap(info, in_dims, x):
            return Square.apply(x.movedim(in_dims[0], 0)), in_dims[0]

    (finding,) = vmap_agrees(run_of(InPlaceOfTheInput, None, X)).findings
    assert "in_dims=(1,)" in finding.evidence


def test_a_rule_that_refuses_some_dimensions_is_not_blamed() -> None:
    class FrontOnly(Square):
        generate_vmap_rule = False

        @staticmethod
        def vmap(info, in_dims, x):
            if in_dims[0] != 0:
                raise ValueError("batch along dimension 0 only")
            return Square.apply(x), 0

    outcome = vmap_agrees(run_of(FrontOnly, None, X))
    assert (outcome.findings, outcome.skipped) == ([], "")
