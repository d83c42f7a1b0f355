"""Ctrl-C during a cross-check: it ends it, and what was learnt by then is not lost."""

import signal

import pytest
import torch

from torchref import crosscheck
from torchref.checker.report.report import InterruptionError
from torchref.ops import Sigmoid


class Doubled(Sigmoid):
    """The sigmoid with twice its gradient."""

    @staticmethod
    def backward(ctx, grad_y):
        return 2 * Sigmoid.backward(ctx, grad_y)


def interrupted_at(what: str):
    def tick(trying: str) -> None:
        if trying == what:
            signal.raise_signal(signal.SIGINT)

    return tick


@pytest.mark.parametrize("isolate", [False, True])
def test_what_was_found_by_then_is_in_the_report(isolate: bool) -> None:
    x = torch.randn(4, 3)
    tick = interrupted_at("repetition")
    with pytest.raises(KeyboardInterrupt) as raised:
        crosscheck(Doubled, torch.sigmoid, (x,), progress=tick, isolate=isolate)
    assert isinstance(raised.value, InterruptionError)
    report = raised.value.report
    assert report.verdict == "wrong"
    assert [finding.cause for finding in report.findings] == ["constant-factor"]
    assert "cannot tell: interruption: it was interrupted at repetition" in str(report)


@pytest.mark.parametrize("at", ["as given", "second order"])
def test_what_was_right_by_then_is_not_called_right(at: str) -> None:
    with pytest.raises(InterruptionError) as raised:
        crosscheck(torch.sin, torch.sin, (torch.randn(4, 3),), order=2, progress=interrupted_at(at))
    assert raised.value.report.verdict == "cannot tell"


def test_ctrl_c_in_the_backward_itself_is_no_error_of_it() -> None:
    class Interrupted(Sigmoid):
        @staticmethod
        def backward(ctx, grad_y):
            signal.raise_signal(signal.SIGINT)
            return Sigmoid.backward(ctx, grad_y)

    with pytest.raises(InterruptionError) as raised:
        crosscheck(Interrupted, torch.sigmoid, (torch.randn(4, 3),))
    assert raised.value.report.verdict == "cannot tell"
    assert raised.value.report.findings == ()
