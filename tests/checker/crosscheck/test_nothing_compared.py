"""What was not compared is not called right: no witness, no time, no second order, no backward."""

from __future__ import annotations

import time

import pytest
import torch
from torch.autograd import Function

from tests.checker.given.runs import normal
from torchref import crosscheck

NAN = float("nan")
X = normal(4, 3, seed=1)


class Sine(Function):
    """Its derivative is `factor` times the true one, and each forward takes `seconds`."""

    factor, seconds = 1.0, 0.0

    @classmethod
    def forward(cls, ctx, x):
        time.sleep(cls.seconds)
        ctx.save_for_backward(x)
        return x.sin()

    @classmethod
    def backward(cls, ctx, grad_y):
        (x,) = ctx.saved_tensors
        return cls.factor * grad_y * x.cos()


class TripleSine(Sine):
    factor = 3.0


class SlowDoubleSine(Sine):
    factor, seconds = 2.0, 0.05


@pytest.mark.parametrize("reference", [None, torch.sin])
@pytest.mark.parametrize("seconds", [0.3, 1.0])
def test_a_gradient_that_there_was_no_time_for(reference, seconds: float) -> None:
    report = crosscheck(SlowDoubleSine, reference, (X,), seconds=seconds)
    assert report.verdict in ("cannot tell", "wrong"), str(report)


def test_a_second_order_that_there_was_no_time_for() -> None:
    class SlowSine(Sine):
        seconds = 0.05

    report = crosscheck(SlowSine, torch.sin, (X,), seconds=3.0, order=2)
    assert report.verdict == "cannot tell", str(report)
    assert [check.name for check in report.checks if check.status == "cannot tell"] == [
        "second order"
    ]


@pytest.mark.parametrize("thorough", [True, False])
def test_a_reference_that_is_nan_is_no_witness(thorough: bool) -> None:
    def nowhere(x):
        return x.sin() + (x - x.detach()) * NAN

    wrong = crosscheck(TripleSine, nowhere, (X,), thorough=thorough)
    assert wrong.verdict == "wrong", str(wrong)
    right = crosscheck(Sine, nowhere, (X,), thorough=False)
    assert right.verdict == "right", str(right)
    assert any("the reference is NaN" in note for note in right.notes)


def test_where_the_gradient_of_the_reference_is_nan_differences_decide() -> None:
    class OfNoGradient(Function):
        @staticmethod
        def forward(_, x):
            return x.sin()

        @staticmethod
        def backward(_, grad_y):
            return grad_y * NAN

    wrong = crosscheck(TripleSine, OfNoGradient.apply, (X,), thorough=False)
    assert wrong.verdict == "wrong", str(wrong)
    assert crosscheck(Sine, OfNoGradient.apply, (X,), thorough=False).verdict == "right"
    surrogate = crosscheck(TripleSine, torch.sin, (X,), surrogate=lambda x: x * NAN)
    assert surrogate.verdict == "cannot tell", str(surrogate)


def test_two_orders_are_promised_without_the_other_checks_too() -> None:
    class OfAnIntermediate(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.slope = x.detach().cos()
            return x.sin()

        @staticmethod
        def backward(ctx, grad_y):
            return grad_y * ctx.slope

    report = crosscheck(OfAnIntermediate, torch.sin, (X,), order=2, thorough=False)
    assert [finding.cause for finding in report.findings] == ["second-order-wrong"], str(report)
    assert crosscheck(Sine, torch.sin, (X,), order=2, thorough=False).verdict == "right"


def test_an_expected_error_leaves_nothing_to_be_right() -> None:
    class WithoutBackward(Sine):
        @staticmethod
        def backward(*_):
            raise NotImplementedError("inference only")

    report = crosscheck(WithoutBackward, torch.sin, (X,), expect={"raises": "inference only"})
    assert report.verdict == "cannot tell", str(report)
    assert [finding.cause for finding, _ in report.expected] == ["raises"]


def test_what_the_tolerance_lets_pass_is_not_laid_to_the_reference() -> None:
    class Root(Function):
        """Two steps of Newton's method from (1 + x)/2, and nearly nothing of the gradient."""

        @staticmethod
        def forward(ctx, x):
            y = (1 + x) / 2
            for _ in range(2):
                y = (y + x / y) / 2
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, grad_y):
            (y,) = ctx.saved_tensors
            return 0.02 * grad_y / (2 * y)

    x = torch.rand(4, 3, generator=torch.Generator().manual_seed(0)) + 0.5
    report = crosscheck(
        Root, torch.sqrt, (x,), domain=lambda x: (x > 0.25) & (x < 4), tolerance=0.99, vary=False
    )
    assert report.verdict == "right", str(report)
    assert not report.findings


def test_what_is_expected_counts_for_no_error() -> None:
    class Reversed(Sine):
        factor = -1.0

    report = crosscheck(Reversed, torch.sin, (X,), expect={"sign-flipped": "a reversal layer"})
    assert report.verdict == "right", str(report)
    assert report.worst <= 1
    assert not any("at the inputs given it is right" in note for note in report.notes)
