"""Hazards leave one ordinary backward right, and a cause may be expected: neither is wrong."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import Function

from tests.checker.given import assert_right, assert_wrong, backward_in, causes, normal, of_x
from tests.corpora.wrong_ops.rule import gradients_of
from torchref import crosscheck

X, BIAS = normal(4, 3), normal(3)


@gradients_of(lambda x, bias: x + bias)
def Unreduced(grad_y, x, bias):
    return grad_y, grad_y


class Detached(Function):
    """Whose second derivative lacks what the sigmoid itself depends on."""

    @staticmethod
    def forward(ctx, x, bias=0):
        ctx.y = (x + bias).sigmoid().detach()
        return ctx.y.clone()

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y * ctx.y * (1 - ctx.y)


@backward_in(Detached)
def Both(ctx, grad_y):
    """Whose gradient of the bias is unreduced as well."""
    grad = Detached.backward(ctx, grad_y)
    return grad, grad


class ForOneUse(Function):
    """Whose backward works in what it has saved, and hands that out."""

    @staticmethod
    def forward(ctx, x):
        y = x.sigmoid()
        ctx.slope = y * (1 - y)
        return y

    @staticmethod
    def backward(ctx, grad_y):
        return ctx.slope.mul_(grad_y)


@backward_in(ForOneUse)
def Deleting(ctx, grad_y):
    """Whose backward deletes what it has saved: a second one raises."""
    slope = ctx.slope
    del ctx.slope
    return slope * grad_y


@backward_in(ForOneUse)
def IntoGradOutput(ctx, grad_y):
    """Whose backward writes its gradient where grad_output was."""
    return grad_y.mul_(ctx.slope)


BUFFER = torch.empty(4, 3, dtype=torch.float64)


@backward_in(ForOneUse)
def Buffered(ctx, grad_y):
    """Whose gradients all lie in one buffer."""
    if grad_y.shape != BUFFER.shape:
        return grad_y * ctx.slope
    return torch.mul(grad_y, ctx.slope, out=BUFFER)


@pytest.mark.parametrize(
    ("candidate", "reference", "inputs", "found"),
    [
        (Unreduced, torch.add, (X, BIAS), {"missing-reduction"}),
        (Detached, torch.sigmoid, (X,), {"second-order-wrong"}),
        (ForOneUse, torch.sigmoid, (X,), {"mutates-saved"}),
    ],
    ids=["repaired by autograd", "second order", "for one use"],
)
def test_a_hazard_leaves_the_first_order_right(candidate, reference, inputs, found) -> None:
    report = assert_right(candidate, reference, inputs)
    assert {hazard.cause for hazard in report.hazards} == found
    assert all(f"hazard: {cause}" in str(report) for cause in found)
    assert {hazard["cause"] for hazard in report.to_dict()["hazards"]} == found
    assert not assert_wrong(candidate, reference, inputs, order=2).hazards


@pytest.mark.parametrize(
    ("candidate", "cause"), [(IntoGradOutput, "mutates-grad-output"), (Buffered, "aliased-buffer")]
)
def test_what_harms_others_is_wrong_to_first_order(candidate, cause: str) -> None:
    assert causes(assert_wrong(candidate, torch.sigmoid, (X,)))[0] == cause


def test_a_backward_for_one_use_is_not_blamed_for_its_layout() -> None:
    assert "a second backward is refused" in str(assert_right(Deleting, torch.sigmoid, (X,)))


def test_a_hazard_hides_no_other() -> None:
    report = crosscheck(Both, lambda x, bias: (x + bias).sigmoid(), (X, BIAS))
    found = {hazard.cause for hazard in report.hazards}
    assert found == {"missing-reduction", "second-order-wrong"}


def test_a_double_backward_that_is_nan_is_wrong() -> None:
    backward = of_x(lambda grad_y: 2 * grad_y, lambda grad, _: grad * torch.nan)
    twice = of_x(lambda x: 2 * x, lambda grad_y, x: backward.apply(grad_y))
    report = crosscheck(twice, lambda x: 2 * x, (X,), order=2)
    assert causes(report) == ["second-order-wrong"]
    assert "nan" in report.findings[0].evidence


REASON = "the kernel keeps its gradient there"


def test_a_cause_that_is_expected_is_told_with_its_reason() -> None:
    expect = {"mutates-grad-output": REASON, "vmap-wrong": "nobody maps it"}
    report = assert_right(IntoGradOutput, torch.sigmoid, (X,), expect=expect)
    assert f"expected: mutates-grad-output in the call: {REASON}" in str(report)
    assert report.to_dict()["expected"][0]["reason"] == REASON
    assert "vmap-wrong was expected (nobody maps it) and was not found" in report.notes


def test_another_cause_than_the_expected_is_wrong_still() -> None:
    @backward_in(IntoGradOutput)
    def Wrong(ctx, grad_y):
        return grad_y.mul_(2 * ctx.slope)

    report = assert_wrong(Wrong, torch.sigmoid, (X,), expect={"mutates-grad-output": REASON})
    assert causes(report)[0] == "constant-factor"
