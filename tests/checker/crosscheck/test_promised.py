"""What the user promises of a candidate decides what it is held to, and is told in the report."""

from __future__ import annotations

import time

import pytest
import torch
from torch.autograd import Function

from tests.checker.given.runs import normal
from tests.corpora.wrong_ops.rule import Rule
from torchref import InputError, crosscheck
from torchref.checker.promise import VARIED

X, BIAS = normal(4, 3), normal(3)


class Unreduced(Rule):
    @staticmethod
    def forward(x, bias):
        return x + bias

    @staticmethod
    def gradients(grad_y, x, bias):
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


class Spike(Function):
    """A step, trained by the slope of a steep sigmoid."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        y = torch.sigmoid(4 * x)
        return 4 * grad_y * y * (1 - y)


def step(x):
    return (x > 0).to(x.dtype)


def steep(x):
    return torch.sigmoid(4 * x)


@pytest.mark.parametrize(
    ("candidate", "reference", "inputs", "causes"),
    [
        (Unreduced, torch.add, (X, BIAS), {"missing-reduction"}),
        (Detached, torch.sigmoid, (X,), {"second-order-wrong"}),
        (ForOneUse, torch.sigmoid, (X,), {"mutates-saved", "aliased-buffer", "second-order-wrong"}),
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
    class OnceMore(Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, grad_y):
            return Backward.apply(grad_y)

    class Backward(Function):
        @staticmethod
        def forward(ctx, grad_y):
            return 2 * grad_y

        @staticmethod
        def backward(ctx, grad):
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
    assert "vmap-wrong was expected (nobody maps it) and did not occur" in report.notes


def test_another_cause_than_the_expected_is_wrong_still() -> None:
    class Wrong(IntoGradOutput):
        @staticmethod
        def backward(ctx, grad_y):
            return grad_y.mul_(2 * ctx.slope)

    report = crosscheck(Wrong, torch.sigmoid, (X,), expect={"mutates-grad-output": REASON})
    assert report.verdict == "wrong"
    assert report.findings[0].cause == "constant-factor"


@pytest.mark.parametrize("reference", [step, None])
@pytest.mark.parametrize("seed", range(6))
def test_a_surrogate_gradient(reference, seed: int) -> None:
    x = normal(4, 5, seed=seed)
    report = crosscheck(Spike, reference, (x,), surrogate=steep, seed=seed)
    assert report.verdict == "right", str(report)
    report = crosscheck(Spike, reference, (x,), surrogate=torch.sigmoid, seed=seed)
    assert report.verdict == "wrong"


def test_a_surrogate_is_no_excuse_for_the_forward() -> None:
    report = crosscheck(Spike, torch.relu, (X,), surrogate=steep)
    assert "forward-wrong" in {finding.cause for finding in report.findings}


def test_without_a_surrogate_it_is_said_what_to_write() -> None:
    report = crosscheck(Spike, step, (X,))
    assert report.findings[0].cause == "straight-through"
    assert "surrogate=" in str(report)


class OfPositives(Rule):
    """The root, whose gradient is wrong where an entry is 0 or less."""

    @staticmethod
    def forward(x):
        return x.abs().sqrt()

    @staticmethod
    def gradients(grad_y, x):
        return grad_y / (2 * x.abs().sqrt())


@pytest.mark.parametrize("domain", [lambda x: x > 0, {"x": lambda x: bool((x > 0).all())}])
def test_nothing_is_tried_outside_the_domain(domain) -> None:
    def root(x):
        return x.abs().sqrt()

    inputs = (X.abs() + 0.1,)
    assert crosscheck(OfPositives, root, inputs).verdict == "wrong"
    report = crosscheck(OfPositives, root, inputs, domain=domain)
    assert report.verdict == "right", str(report)
    (check,) = (check for check in report.checks if check.name == "variations of the inputs")
    assert "outside the domain" in check.note


def test_only_the_kinds_named_are_varied() -> None:
    report = crosscheck(OfPositives, lambda x: x.abs().sqrt(), (X.abs() + 0.1,), vary=("sizes",))
    assert report.verdict == "right", str(report)
    skipped = {check.name for check in report.checks if check.note == "by vary="}
    assert skipped == {"layout of grad_output", "layout of inputs"}


@pytest.mark.parametrize("reference", [torch.sin, None])
def test_a_tolerance_is_kept_to(reference) -> None:
    class Approximate(Rule):
        error = 1e-6

        @staticmethod
        def forward(x):
            return x.sin()

        @classmethod
        def gradients(cls, grad_y, x):
            return grad_y * x.cos() * (1 + 1e-6)

    assert crosscheck(Approximate, reference, (X,)).verdict == "wrong"
    report = crosscheck(Approximate, reference, (X,), tolerance=1e-5)
    assert report.verdict == "right", str(report)
    assert "1e-05 of the entry" in str(report)
    assert crosscheck(Approximate, reference, (X,), tolerance=1e-8).verdict == "wrong"


def test_what_there_was_no_time_for_is_said() -> None:
    class Slow(Rule):
        @staticmethod
        def forward(x):
            time.sleep(0.02)
            return x.sin()

        @staticmethod
        def gradients(grad_y, x):
            return grad_y * x.cos()

    report = crosscheck(Slow, torch.sin, (X,), seconds=0.3)
    assert report.verdict == "right", str(report)
    assert any("seconds= were over" in note for note in report.notes)
    assert {check.status for check in report.checks if check.name == "vmap"} == {"skipped"}
    at_once = crosscheck(Slow, torch.sin, (X,), seconds=1e-9)
    assert at_once.verdict == "cannot tell"


@pytest.mark.parametrize(
    ("promise", "must", "fix"),
    [
        ({"order": 3}, "order must be 1", "Leave it out"),
        ({"expect": {"mutate-input": "x"}}, "expect may name", "Did you mean mutates-input?"),
        ({"expect": {"mutates-input": ""}}, "a reason for each cause", "expect={"),
        ({"expect": "mutates-input"}, "a collection of names", "Write expect="),
        ({"vary": ("value",)}, ", ".join(VARIED), "Did you mean values?"),
        ({"vary": "values"}, "a collection of names", "vary=('values',)"),
        ({"tolerance": -1}, "tolerance must lie in", "1e-6"),
        ({"precision": "half"}, "precision must be", "native is the dtype"),
        ({"seconds": 0}, "seconds must be more than 0", "Leave it out"),
        ({"domain": lambda x: x > 9}, "lie in the domain", "mend the predicate"),
        ({"domain": lambda: True}, "domain must take", "domain=lambda"),
        ({"domain": {"y": lambda y: True}}, "domain may name input0", "inputs' names"),
        ({"surrogate": lambda x: x.sum()}, "the surrogate must return", "Write one"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_promises_nothing_is_refused(promise, must: str, fix: str) -> None:
    with pytest.raises(InputError) as refusal:
        crosscheck(torch.sin, torch.sin, (X,), **promise)
    assert must in str(refusal.value)
    assert fix in str(refusal.value)
