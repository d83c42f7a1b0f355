"""Under vmap, along any dimension, with shared inputs, and with gradients inside and through it."""

import pytest
import torch.nn.functional as F

from tests.checker.given import gradients_in, run_of
from tests.checker.probes.findings import Square, X, found
from tests.corpora.wrong_ops.right_rules import Multiply
from torchref.checker.probes.transforms import vmap_agrees


def mapped_by(rule, base=Square):
    """A Function with a vmap rule of (in_dims, inputs)."""

    class Mapped(base):
        generate_vmap_rule = False

        @staticmethod
        def vmap(info, in_dims, *inputs):
            return rule(in_dims, *inputs)

    return Mapped


@pytest.mark.parametrize("function", [Square, F.softplus])
def test_the_right_one_passes(function) -> None:
    assert found(vmap_agrees, function) == []


def test_a_function_without_a_rule_is_skipped() -> None:
    class NoRule(Square):
        generate_vmap_rule = False

    assert vmap_agrees(run_of(NoRule, None, X)).skipped.startswith("not offered")


def test_a_rule_for_another_dimension() -> None:
    flips = mapped_by(lambda dims, x: (Square.apply(x.flip(dims[0])), dims[0]))
    assert found(vmap_agrees, flips) == [("vmap-wrong", None)]


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

    def rule(in_dims, *sides):
        pairs = zip(sides, in_dims, strict=True)
        return OfTheFirstSample.apply(*(x if d is None else x.movedim(d, 0) for x, d in pairs)), 0

    product = mapped_by(rule, Multiply)
    (finding,) = vmap_agrees(run_of(product, None, X, X + 1)).findings
    assert (finding.cause, finding.argument) == ("vmap-wrong", shared)
    assert told in finding.evidence


def test_out_dims_that_are_right_along_the_first_dimension_only() -> None:
    in_place_of_the_input = mapped_by(
        lambda dims, x: (Square.apply(x.movedim(dims[0], 0)), dims[0])
    )
    (finding,) = vmap_agrees(run_of(in_place_of_the_input, None, X)).findings
    assert "in_dims=(1,)" in finding.evidence


def test_a_rule_that_refuses_some_dimensions_is_not_blamed() -> None:
    def front_only(in_dims, x):
        if in_dims[0] != 0:
            raise ValueError("batch along dimension 0 only")
        return Square.apply(x), 0

    outcome = vmap_agrees(run_of(mapped_by(front_only), None, X))
    assert (outcome.findings, outcome.skipped) == ([], "")
