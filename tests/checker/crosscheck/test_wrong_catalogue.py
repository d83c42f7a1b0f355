"""Copies of the catalogue's ops, each with one thing wrong: cause, argument and element are told.

The copies are made by rewriting what the right backward returns, so that an op is covered by being
in the catalogue.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.checker.given import assert_wrong, backward_in, causes, normal, seeded
from tests.ops.catalogue_cases import is_differentiated
from tests.slow import few_of
from torchref import Finding, Report, crosscheck
from torchref.catalogue import CATALOGUE, Entry, Inputs
from torchref.ops import Affine, Op

FACTOR = 0.37
ENTRIES = pytest.mark.parametrize("entry", CATALOGUE.values(), ids=list(CATALOGUE))


def differentiable(inputs: Inputs) -> list[int]:
    return [i for i, x in enumerate(inputs) if is_differentiated(x)]


def sample(entry: Entry) -> Inputs:
    """The first sample with the most tensors: no optional input is absent."""
    return max(entry.samples(seeded(0)), key=lambda inputs: len(differentiable(inputs)))


PLACES = [(entry, place) for entry in CATALOGUE.values() for place in differentiable(sample(entry))]
REWRITES = 3


def every_place(turn: int) -> pytest.MarkDecorator:
    """All of them; those are slow whose turn it is not, so that others meet the other rewrites."""
    named = few_of(PLACES, REWRITES, turn, lambda each: f"{each[0].name}-{each[1]}")
    return pytest.mark.parametrize(("entry", "place"), named)


def rewritten(op: type[Op], place: int, rewrite: Callable[[Tensor], Tensor]) -> type[Op]:
    """A copy of the op that rewrites one of the gradients that its backward returns."""

    @backward_in(op)
    def Wrong(ctx: Any, grad_y: Tensor) -> tuple[Tensor | None, ...]:
        returned = op.backward(ctx, grad_y)
        gradients = list(returned) if isinstance(returned, tuple) else [returned]
        if gradients[place] is not None:
            gradients[place] = rewrite(gradients[place])
        return tuple(gradients)

    return Wrong


def ignoring_grad_output(op: type[Op]) -> type[Op]:
    @backward_in(op)
    def Wrong(ctx: Any, grad_y: Tensor) -> Any:
        return op.backward(ctx, torch.ones_like(grad_y))

    return Wrong


def told_of_ones(entry: Entry) -> str:
    """A sparsemax sums to one: of ones its gradient is 0, and that is all that can be seen."""
    return "missing-gradient" if entry.name == "Sparsemax" else "ignores-grad-output"


def check(entry: Entry, op: type[Op]) -> Report:
    return crosscheck(op, entry.twin, sample(entry), order=2)


def only_in(entry: Entry, place: int, rewrite: Callable[[Tensor], Tensor]) -> Finding:
    """The first finding, when all are of the argument whose gradient is rewritten."""
    name = entry.op.forward.__code__.co_varnames[place]
    report = check(entry, rewritten(entry.op, place, rewrite))
    assert report.verdict == "wrong", str(report)
    assert {finding.argument for finding in report.findings} == {name}, str(report)
    return report.findings[0]


@every_place(turn=0)
def test_a_flipped_sign(entry: Entry, place: int) -> None:
    assert only_in(entry, place, torch.neg).cause == "sign-flipped"


@every_place(turn=1)
def test_a_missing_factor(entry: Entry, place: int) -> None:
    finding = only_in(entry, place, lambda grad: FACTOR * grad)
    assert finding.cause == "constant-factor"
    assert f"{FACTOR} times" in finding.evidence


@every_place(turn=2)
def test_one_wrong_element_is_told(entry: Entry, place: int) -> None:
    inputs = [x.requires_grad_() if is_differentiated(x) else x for x in sample(entry)]
    (true,) = torch.autograd.grad(entry.twin(*inputs).square().sum(), inputs[place])
    element = tuple(true.nonzero()[-1].tolist())  # some rows of a table are taken by no index

    def spoil(grad_x: Tensor) -> Tensor:
        spoilt = torch.zeros_like(grad_x)
        spoilt[element] = 1e-3
        return grad_x + spoilt * grad_x

    assert only_in(entry, place, spoil).element == element


@ENTRIES
def test_an_ignored_grad_output(entry: Entry) -> None:
    report = check(entry, ignoring_grad_output(entry.op))
    assert report.verdict == "wrong"
    assert told_of_ones(entry) in causes(report), str(report)


@ENTRIES
def test_an_ignored_grad_output_without_a_reference(entry: Entry) -> None:
    report = assert_wrong(ignoring_grad_output(entry.op), inputs=sample(entry))
    assert told_of_ones(entry) in causes(report), str(report)


@pytest.mark.parametrize(
    ("of_the_rows", "told"), [(lambda grad_y: grad_y, "(5, 3)"), (lambda grad_y: grad_y[0], "")]
)
def test_a_bias_gradient_that_is_unreduced_or_of_the_first_row_alone(of_the_rows, told) -> None:
    @backward_in(Affine)
    def Wrong(ctx: Any, grad_y: Tensor) -> Any:
        grad_x, grad_weight, _ = Affine.backward(ctx, grad_y)
        return grad_x, grad_weight, of_the_rows(grad_y)

    report = check(CATALOGUE["Affine"], Wrong)
    assert report.verdict == "wrong", str(report)
    assert {finding.argument for finding in report.findings} == {"bias"}, str(report)
    assert report.findings[0].cause == "missing-reduction"
    assert told in report.findings[0].evidence


def test_a_forward_mode_rule_of_another_function() -> None:
    class WrongTangent(Affine):
        @staticmethod
        def tangent(ctx: Any, dx: Tensor, dweight: Tensor, dbias: Tensor) -> Tensor:
            return 2 * Affine.tangent(ctx, dx, dweight, dbias)

    assert causes(check(CATALOGUE["Affine"], WrongTangent)) == ["forward-mode-wrong"]


def test_a_backward_that_autograd_cannot_follow() -> None:
    @backward_in(Affine)
    def Detached(ctx: Any, grad_y: Tensor) -> Any:
        with torch.no_grad():
            return tuple(g if g is None else +g for g in Affine.backward(ctx, grad_y))

    x, weight, bias = normal(5, 4), normal(3, 4), normal(3)
    report = crosscheck(Detached.apply, F.linear, (x, weight, bias), order=2)
    assert causes(report) == ["second-order-wrong"]
