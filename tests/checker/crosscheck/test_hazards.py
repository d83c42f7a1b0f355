"""Hazards leave one ordinary backward right, and a cause may be expected: neither is wrong."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import Function

from tests.checker.given.runs import normal
from tests.corpora.wrong_ops.rule import gradients_of
from torchref import crosscheck

X, BIAS = normal(4, 3), normal(3)


@gradients_of(lambda x, bias: x + bias)
def Unreduced(grad_y, x, bias):
    return grad_y, grad_y


class Detached(Function):
    """Whose second derivative lacks what the sigmoid itself depends on."""

    @staticmethod
    def forward(ctx, x):
        ctx.y = x.sigmoid().detach()
        return ctx.y.clone()

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y * ctx.y * (1 - ctx.y)


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


class Deleting(ForOneUse):
    """Whose backward deletes what it has saved: a second one raises."""

    @staticmethod
    def backward(ctx, grad_y):
        slope = ctx.slope
        del ctx.slope
        return slope * grad_y


class IntoGradOutput(ForOneUse):
    """Whose backward writes its gradient where grad_output was."""

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y.mul_(ctx.slope)


class Buffered(ForOneUse):
    """Whose gradients all lie in one buffer of the class."""

    buffer = torch.empty(4, 3, dtype=torch.float64)

    @staticmethod
    def backward(ctx, grad_y):
        if grad_y.shape != Buffered.buffer.shape:
            return grad_y * ctx.slope
        return torch.mul(grad_y, ctx.slope, out=Buffered.buffer)


@pytest.mark.parametrize(
    ("candidate", "reference", "inputs", "causes"),
    [
        (Unreduced, torch.add, (X, BIAS), {"missing-reduction"}),
        (Detached, torch.sigmoid, (X,), {"second-order-wrong"}),
        (ForOneUse, torch.sigmoid, (X,), {"mutates-saved"}),
    ],
    ids=["repaired by autograd", "second order", "for one use"],
)
def test_a_hazard_leaves_the_first_order_right(candidate, reference, inputs, causes) -> None:
    report = crosscheck(candidate, reference, inputs)
    assert report.verdict == "right", str(report)
    assert {hazard.cause for hazard in report.hazards} == causes
    assert all(f"hazard: {cause}" in str(report) for cause in causes)
    assert {hazard["cause"] for hazard in report.to_dict()["hazards"]} == causes
    strict = crosscheck(candidate, reference, inputs, order=2)
    assert strict.verdict == "wrong"
    assert not strict.hazards


def test_what_harms_others_is_wrong_to_first_order() -> None:
    for candidate, cause in (
        (IntoGradOutput, "mutates-grad-output"),
        (Buffered, "aliased-buffer"),
    ):
        report = crosscheck(candidate, torch.sigmoid, (X,))
        assert report.verdict == "wrong"
        assert report.findings[0].cause == cause


def test_a_backward_for_one_use_is_not_blamed_for_its_layout() -> None:
    report = crosscheck(Deleting, torch.sigmoid, (X,))
    assert report.verdict == "right", str(report)
    assert "a second backward is refused" in str(report)


def test_a_hazard_hides_no_other() -> None:
    class Both(Function):
        @staticmethod
        def forward(ctx, x, bias):
            ctx.y = (x + bias).sigmoid().detach()
            return ctx.y.clone()

        @staticmethod
        def backward(ctx, grad_y):
            grad = grad_y * ctx.y * (1 - ctx.y)
            return grad, grad

    report = crosscheck(Both, lambda x, bias: (x + bias).sigmoid(), (X, BIAS))
    causes = {hazard.cause for hazard in report.hazards}
    assert causes == {"missing-reduction", "second-order-wrong"}


def test_a_double_backward_that_is_nan_is_wrong() -> None:
    @gradients_of(lambda x: 2 * x)
    def OnceMore(grad_y, x):
        return Backward.apply(grad_y)

    @gradients_of(lambda grad_y: 2 * grad_y)
    def Backward(grad, grad_y):
        return grad * torch.nan

    report = crosscheck(OnceMore, lambda x: 2 * x, (X,), order=2)
    assert [finding.cause for finding in report.findings] == ["second-order-wrong"]
    assert "nan" in report.findings[0].evidence


REASON = "the kernel keeps its gradient there"


def test_a_cause_that_is_expected_is_told_with_its_reason() -> None:
    expect = {"mutates-grad-output": REASON, "vmap-wrong": "nobody maps it"}
    report = crosscheck(IntoGradOutput, torch.sigmoid, (X,), expect=expect)
    assert report.verdict == "right", str(report)
    assert f"expected: mutates-grad-output in the call: {REASON}" in str(report)
    assert report.to_dict()["expected"][0]["reason"] == REASON
    assert "vmap-wrong was expected (nobody maps it) and was not found" in report.notes


def test_another_cause_than_the_expected_is_wrong_still() -> None:
    class Wrong(IntoGradOutput):
        @staticmethod
        def backward(ctx, grad_y):
            return grad_y.mul_(2 * ctx.slope)

    report = crosscheck(Wrong, torch.sigmoid, (X,), expect={"mutates-grad-output": REASON})
    assert report.verdict == "wrong"
    assert report.findings[0].cause == "constant-factor"
