"""With isolate=True a candidate that ends its process ends no other, and the report says where."""

import os
import signal
import time

import pytest
import torch

from tests.checker.given.runs import normal
from tests.slow import few_of
from torchref import crosscheck

X = normal(4, 3)


def never(*_):
    return False


def ending(condition, in_backward=never):
    class Ending(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            if condition(x):
                os.kill(os.getpid(), signal.SIGKILL)
            return x.sin()

        @staticmethod
        def backward(ctx, grad_y):
            (x,) = ctx.saved_tensors
            if in_backward(ctx, grad_y):
                os.abort()
            return grad_y * x.cos()

    return Ending


def test_the_report_is_the_same_as_in_this_process() -> None:
    here = crosscheck(torch.sin, torch.sin, (X,))
    there = crosscheck(torch.sin, torch.sin, (X,), isolate=True)
    assert there.to_dict() == here.to_dict()


@pytest.mark.parametrize("x", [X, X.float()], ids=["float64", "float32"])
def test_one_that_ends_at_the_inputs_given_is_wrong(x: torch.Tensor) -> None:
    report = crosscheck(ending(lambda x: True), torch.sin, (x,), isolate=True)
    assert report.verdict == "wrong"
    (finding,) = report.findings
    assert (finding.cause, finding.at) == ("raises", "as given")
    assert "SIGKILL; what it wrote before that is on standard error" in finding.evidence


def test_one_that_ends_at_a_size_that_nobody_promised_is_undecided() -> None:
    report = crosscheck(ending(lambda x: len(x) == 1), torch.sin, (X,), isolate=True)
    assert report.verdict == "cannot tell"
    statuses = {check.name: check.status for check in report.checks}
    assert statuses["gradient by reference"] == "passed"
    assert "SIGKILL at size 4 → 1; domain= or vary= leave that out" in str(report)
    kept = crosscheck(
        ending(lambda x: len(x) == 1), torch.sin, (X,), isolate=True, domain=lambda x: len(x) > 1
    )
    assert kept.verdict == "right", str(kept)


def is_second_backward(ctx, grad_y):
    ctx.times = getattr(ctx, "times", 0) + 1
    return ctx.times == 2


CREATE_GRAPH = ending(never, lambda ctx, grad_y: torch.is_grad_enabled())
LET_PASS = "an error would be let pass there, and thorough=False leaves that out"
NOT_ASKED = {
    "low precision": (ending(lambda x: x.dtype == torch.bfloat16), X, LET_PASS),
    "second order": (CREATE_GRAPH, X, LET_PASS),
    "retained graph": (ending(never, is_second_backward), X, LET_PASS),
    "layout of inputs": (
        ending(lambda x: not x.is_contiguous()),
        X,
        'vary= without "layouts" leaves that out',
    ),
    "the inputs in float64, to find the precision": (
        ending(lambda x: x.dtype == torch.float64),
        X.float(),
        'precision="native" leaves that out',
    ),
    "the inputs in float32, to find the precision": (
        ending(lambda x: x.dtype == torch.float32),
        X,
        'precision="native" leaves that out',
    ),
    "with small sizes": (
        ending(lambda x: len(x) < 100),
        normal(200, 150),
        "domain= leaves that out",
    ),
}


@pytest.mark.parametrize("place", few_of(NOT_ASKED, every=len(NOT_ASKED)))
def test_one_that_ends_where_an_error_would_be_let_pass_is_undecided(place: str) -> None:
    candidate, x, leave_out = NOT_ASKED[place]
    report = crosscheck(candidate, torch.sin, (x,), isolate=True)
    assert report.verdict == "cannot tell", str(report)
    assert "the process was ended by SIG" in str(report)
    assert f" at {place}; {leave_out}" in str(report)


def test_one_that_ends_in_the_second_order_that_was_promised_is_wrong() -> None:
    report = crosscheck(CREATE_GRAPH, torch.sin, (X,), isolate=True, order=2)
    assert [(each.cause, each.at) for each in report.findings] == [("raises", "second order")]


@pytest.mark.slow
def test_what_is_left_out_as_told_ends_nothing() -> None:
    candidate, x, _ = NOT_ASKED["the inputs in float64, to find the precision"]
    report = crosscheck(candidate, None, (x,), isolate=True, precision="native")
    assert report.verdict == "right", str(report)
    candidate, x, _ = NOT_ASKED["layout of inputs"]
    report = crosscheck(candidate, torch.sin, (x,), isolate=True, vary=("values",))
    assert report.verdict == "right", str(report)


def test_a_reference_that_ends_is_no_fault_of_the_candidate() -> None:
    report = crosscheck(torch.sin, ending(lambda x: True), (X,), isolate=True)
    assert report.verdict == "cannot tell", str(report)
    assert "at the reference alone, as given; call it on the inputs to see" in str(report)


@pytest.mark.slow
def test_one_that_does_not_end_is_ended_after_the_seconds_and_is_undecided() -> None:
    def lasting(condition):
        class Lasting(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                while condition(x):
                    time.sleep(0.1)
                return x.sin()

            @staticmethod
            def backward(ctx, grad_y):
                (x,) = ctx.saved_tensors
                return grad_y * x.cos()

        return Lasting

    slow = lasting(lambda x: len(x) == 1)
    report = crosscheck(slow, torch.sin, (X,), isolate=True, seconds=1.0)
    assert report.verdict == "cannot tell", str(report)
    statuses = {check.name: check.status for check in report.checks}
    assert statuses["gradient by reference"] == "passed"
    last = "it was not done 10 s after the 1 s of seconds=, and tried last: size 4 → 1"
    assert last in str(report)


def test_a_default_that_a_backward_does_not_count_is_left_out_there_too() -> None:
    class Shifted(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, shift=0.5):
            ctx.save_for_backward(x)
            return x.sin() + shift

        @staticmethod
        def backward(ctx, grad_y):
            return grad_y * ctx.saved_tensors[0].cos()

    report = crosscheck(Shifted, None, (X,), isolate=True, vary=False)
    assert report.verdict == "right", str(report)
