"""With isolate=True a candidate that ends its process ends no other, and the report says where."""

import os
import signal
import time

import torch

from tests.checker.given.runs import normal
from torchref import crosscheck

X = normal(4, 3)


def ending(condition):
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
            return grad_y * x.cos()

    return Ending


def test_the_report_is_the_same_as_in_this_process() -> None:
    here = crosscheck(torch.sin, torch.sin, (X,))
    there = crosscheck(torch.sin, torch.sin, (X,), isolate=True)
    assert there.to_dict() == here.to_dict()


def test_one_that_ends_at_the_inputs_given_is_wrong() -> None:
    report = crosscheck(ending(lambda x: True), torch.sin, (X,), isolate=True)
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
