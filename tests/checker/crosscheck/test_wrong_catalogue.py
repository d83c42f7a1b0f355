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

from tests.checker.given.runs import normal, seeded
from torchref import Finding, Report, crosscheck
from torchref.catalogue import CATALOGUE, Entry, Inputs
from torchref.ops import Affine, Op

FACTOR = 0.37
Rewrite = Callable[[Tensor, Tensor], Tensor]  # what is returned for an input, and that input


def differentiable(inputs: Inputs) -> list[int]:
    return [i for i, x in enumerate(inputs) if isinstance(x, Tensor)]


def sample(entry: Entry) -> Inputs:
    """The first sample with the most tensors: no optional input is absent."""
    return max(entry.samples(seeded(0)), key=lambda inputs: len(differentiable(inputs)))


PLACES = [
    pytest.param(entry, place, id=f"{entry.name}-{place}")
    for entry in CATALOGUE.values()
    for place in differentiable(sample(entry))
]


def rewritten(op: type[Op], place: int, rewrite: Callable[[Tensor], Tensor]) -> type[Op]:
    """A copy of the op that rewrites one of the gradients that its backward returns."""

    def backward(ctx: Any, grad_y: Tensor) -> tuple[Tensor | None, ...]:
        returned = op.backward(ctx, grad_y)
        gradients = list(returned) if isinstance(returned, tuple) else [returned]
        if gradients[place] is not None:
            gradients[place] = rewrite(gradients[place])
        return tuple(gradients)

    return type(f"Wrong{op.__name__}", (op,), {"backward": staticmethod(backward)})


def ignoring_grad_output(op: type[Op]) -> type[Op]:
    def backward(ctx: Any, grad_y: Tensor) -> Any:
        return op.backward(ctx, torch.ones_like(grad_y))

    return type(f"Wrong{op.__name__}", (op,), {"backward": staticmethod(backward)})


def check(entry: Entry, op: type[Op]) -> Report:
    return crosscheck(op, entry.twin, sample(entry), order=2)


def argument(entry: Entry, place: int) -> str:
    names = list(entry.op.forward.__code__.co_varnames)
    return names[place]


def only(report: Report, name: str) -> Finding:
    """The first finding, when all are of one argument."""
    assert report.verdict == "wrong", str(report)
    assert {finding.argument for finding in report.findings} == {name}, str(report)
    return report.findings[0]


@pytest.mark.parametrize(("entry", "place"), PLACES)
def test_a_flipped_sign(entry: Entry, place: int) -> None:
    report = check(entry, rewritten(entry.op, place, torch.neg))
    assert only(report, argument(entry, place)).cause == "sign-flipped"


@pytest.mark.parametrize(("entry", "place"), PLACES)
def test_a_missing_factor(entry: Entry, place: int) -> None:
    report = check(entry, rewritten(entry.op, place, lambda grad: FACTOR * grad))
    finding = only(report, argument(entry, place))
    assert finding.cause == "constant-factor"
    assert f"{FACTOR} times" in finding.evidence


@pytest.mark.parametrize(("entry", "place"), PLACES)
def test_one_wrong_element_is_told(entry: Entry, place: int) -> None:
    x = sample(entry)[place]
    element = tuple(size - 1 for size in x.shape)

    def spoil(grad: Tensor) -> Tensor:
        spoilt = torch.zeros_like(grad)
        spoilt[element] = 1e-3
        return grad + spoilt * grad

    report = check(entry, rewritten(entry.op, place, spoil))
    assert only(report, argument(entry, place)).element == element


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=list(CATALOGUE))
def test_an_ignored_grad_output(entry: Entry) -> None:
    report = check(entry, ignoring_grad_output(entry.op))
    assert report.verdict == "wrong"
    assert "ignores-grad-output" in {finding.cause for finding in report.findings}, str(report)


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=list(CATALOGUE))
def test_an_ignored_grad_output_without_a_reference(entry: Entry) -> None:
    report = crosscheck(ignoring_grad_output(entry.op), inputs=sample(entry))
    assert report.verdict == "wrong"
    assert "ignores-grad-output" in {finding.cause for finding in report.findings}, str(report)


def test_an_unreduced_bias_gradient() -> None:
    class Unreduced(Affine):
        @staticmethod
        def backward(ctx: Any, grad_y: Tensor) -> Any:
            grad_x, grad_weight, _ = Affine.backward(ctx, grad_y)
            return grad_x, grad_weight, grad_y

    entry = CATALOGUE["Affine"]
    finding = only(check(entry, Unreduced), "bias")
    assert finding.cause == "missing-reduction"
    assert "(5, 3)" in finding.evidence


def test_a_bias_gradient_of_the_first_row_alone() -> None:
    class FirstRow(Affine):
        @staticmethod
        def backward(ctx: Any, grad_y: Tensor) -> Any:
            grad_x, grad_weight, _ = Affine.backward(ctx, grad_y)
            return grad_x, grad_weight, grad_y[0]

    finding = only(check(CATALOGUE["Affine"], FirstRow), "bias")
    assert finding.cause == "missing-reduction"


def test_a_forward_mode_rule_of_another_function() -> None:
    class WrongTangent(Affine):
        @staticmethod
        def tangent(ctx: Any, dx: Tensor, dweight: Tensor, dbias: Tensor) -> Tensor:
            return 2 * Affine.tangent(ctx, dx, dweight, dbias)

    report = check(CATALOGUE["Affine"], WrongTangent)
    assert [finding.cause for finding in report.findings] == ["forward-mode-wrong"]


def test_a_backward_that_autograd_cannot_follow() -> None:
    class Detached(Affine):
        @staticmethod
        def backward(ctx: Any, grad_y: Tensor) -> Any:
            with torch.no_grad():
                return tuple(g if g is None else +g for g in Affine.backward(ctx, grad_y))

    x, weight, bias = normal(5, 4), normal(3, 4), normal(3)
    report = crosscheck(Detached.apply, F.linear, (x, weight, bias), order=2)
    assert [finding.cause for finding in report.findings] == ["second-order-wrong"]
