"""Work in another process: answers, exceptions and ends come back, and nothing else does."""

import os
import shutil
import signal
import sys
import threading
import time
import types
from pathlib import Path

import pytest

from torchref import InputError
from torchref.checker.execution import isolation
from torchref.checker.execution.isolation import (
    OutlastedError,
    ProcessEndedError,
    run_isolated,
)


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


def raises_what_can_be_sent(_):
    raise InputError("it must hold", "it did not", "Mend it.")


def raises_what_cannot(_):
    class LockedError(Exception):
        def __init__(self) -> None:
            super().__init__("shut")
            self.lock = threading.Lock()

    raise LockedError


@pytest.mark.parametrize(
    ("work", "error", "told"),
    [
        (raises_what_can_be_sent, InputError, "it must hold"),
        (raises_what_cannot, RuntimeError, "LockedError: shut"),
    ],
)
def test_an_exception_is_raised_here(work, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        run_isolated(work, print)


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGSEGV), "SIGSEGV"),
        (lambda: os.kill(os.getpid(), 40), "ended by signal 40"),  # of real time: it has no name
        (lambda: os._exit(3), "exit status 3"),
        (lambda: os.closerange(3, 64) or os._exit(3), "exit status 3"),
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


def test_the_end_of_the_process_is_waited_for_and_not_that_of_one_it_forked() -> None:
    def work(send):
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
        send("x" * 2**20)  # more than a pipe holds
        os.abort()

    sent: list[str] = []
    start = time.monotonic()
    with pytest.raises(ProcessEndedError, match="SIGABRT"):
        run_isolated(work, sent.append)
    assert time.monotonic() - start < 15
    assert list(map(len, sent)) == [2**20]


@pytest.mark.parametrize("seconds", [float("inf"), 1e30])
def test_any_limit_can_be_waited_for(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    failed: list[object] = []
    monkeypatch.setattr(threading, "excepthook", failed.append)
    assert run_isolated(lambda _: 42, print, seconds) == 42
    assert failed == []


def test_it_finds_torchref_where_this_process_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "torchref").mkdir()
    (tmp_path / "torchref" / "__init__.py").write_text("raise ImportError('another torchref')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert run_isolated(lambda _: 42, print) == 42


@pytest.mark.parametrize(
    ("executable", "arrived"),
    [
        (shutil.which("false"), "ended with exit status 1 before it began"),
        ("/no/python", "No such file"),
    ],
)
def test_a_process_that_cannot_begin_is_no_fault_of_the_work(
    executable: str, arrived: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    with pytest.raises(InputError, match=rf"start as in this one, but .*{arrived}.*leave isolate"):
        run_isolated(lambda _: "x" * 2**20, print)


def test_a_process_that_does_not_begin_is_ended_where_there_is_a_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(isolation, "TO_START", 1.0)
    monkeypatch.setattr(isolation, "START", "import time; time.sleep(20)")
    with pytest.raises(InputError, match="SIGKILL after 1 s, before it began"):
        run_isolated(lambda _: 42, print, seconds=1000.0)


def test_work_that_keeps_to_no_seconds_is_ended_soon_after_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(isolation, "GRACE", 0.5)
    with pytest.raises(OutlastedError, match=r"not done 0.5 s after the 0.25 s of seconds="):
        run_isolated(lambda _: time.sleep(20), print, seconds=0.25)


def test_what_the_start_of_python_takes_is_not_of_the_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(isolation, "GRACE", 2.0)
    monkeypatch.setattr(isolation, "START", f"import time; time.sleep(4); {isolation.START}")
    assert run_isolated(lambda _: 42, print, seconds=1.0) == 42


def test_a_torchref_that_raises_there_is_no_fault_of_the_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "torchref").mkdir()
    (tmp_path / "torchref" / "__init__.py").write_text("raise ImportError('another torchref')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(InputError, match="start as in this one"):
        run_isolated(lambda _: 42, print)


def test_what_cannot_be_loaded_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    made = types.ModuleType("made_here")
    monkeypatch.setitem(sys.modules, "made_here", made)
    exec("def work(send): return 42", made.__dict__)
    with pytest.raises(InputError, match=r"can be loaded.*made_here.*leave isolate out"):
        run_isolated(made.work, print)


def test_ctrl_c_is_for_this_process_and_ends_the_other() -> None:
    started: list[int] = []

    def work(send):
        os.kill(os.getpid(), signal.SIGINT)  # as a terminal does, to all that it runs
        send(os.getpid())
        time.sleep(600)

    def receive(process: int) -> None:
        started.append(process)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run_isolated(work, receive)
    with pytest.raises(ProcessLookupError):
        os.kill(started[0], 0)
