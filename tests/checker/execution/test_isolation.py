"""Work in another process: answers, exceptions and ends come back, and nothing else does."""

import os
import signal
import threading

import pytest

from torchref import InputError
from torchref.checker.execution.isolation import ProcessEndedError, run_isolated


def test_what_it_sends_and_returns_arrives() -> None:
    factor, sent = 3, []

    def work(send):
        print("this is no answer")
        send("one")
        send({"two": 2})
        return factor * 14, os.getpid()

    answer, process = run_isolated(work, sent.append)
    assert answer == 42
    assert process != os.getpid()
    assert sent == ["one", {"two": 2}]


def test_an_exception_is_raised_here() -> None:
    def work(_):
        raise InputError("it must hold", "it did not", "Mend it.")

    with pytest.raises(InputError, match="it must hold"):
        run_isolated(work, print)


def test_an_exception_that_cannot_be_sent_is_told() -> None:
    def work(_):
        class LockedError(Exception):
            def __init__(self) -> None:
                super().__init__("shut")
                self.lock = threading.Lock()

        raise LockedError

    with pytest.raises(RuntimeError, match="LockedError: shut"):
        run_isolated(work, print)


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGSEGV), "SIGSEGV"),
        (lambda: os._exit(3), "exit status 3"),
    ],
)
def test_how_the_process_ended_is_said(end, told: str) -> None:
    sent: list[str] = []

    def work(send):
        send("before it")
        end()

    with pytest.raises(ProcessEndedError, match=told):
        run_isolated(work, sent.append)
    assert sent == ["before it"]


def test_what_cannot_be_sent_is_refused() -> None:
    lock = threading.Lock()
    with pytest.raises(InputError, match=r"can be pickled.*leave isolate out"):
        run_isolated(lambda _: lock.locked(), print)
