"""Work in a process of its own: where it ends, by a signal or an assertion, the user's goes on."""

import os
import pickle
import selectors
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, BinaryIO, Protocol

import cloudpickle

from torchref.errors import InputError

Send = Callable[[Any], None]
Say = Callable[..., None]  # a kind, and a value if there is one
TO_START = 60.0  # seconds: on a busy machine Python and torch take many
GRACE = 10.0  # seconds, to end by itself
LOOK = 0.1  # seconds between two looks at whether the process is still there
LENGTH = 8  # bytes, that say how many an answer has
START = (  # with the path of this process, that its torchref is found and no other
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from torchref.checker.execution.isolation import serve; serve()"
)


class NotIsolatedError(InputError):
    """The work cannot be sent to another process, or that cannot begin."""


class ProcessEndedError(Exception):
    """The process ended before its work was done; the message says how."""


class OutlastedError(ProcessEndedError):
    """It was ended because it had not come to an end by itself."""


class _Deadline:
    """Ends a process once it is over."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.is_over = False
        self.timer = threading.Timer(0, self._end)

    def move(self, seconds: float) -> None:
        """To so many seconds from now."""
        self.timer.cancel()
        self.timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), self._end)
        self.timer.start()

    def _end(self) -> None:
        self.is_over = True
        self.process.kill()


def run_isolated(work: Callable[[Send], Any], receive: Send, seconds: float | None = None) -> Any:
    """What `work` returns, called in a new process; `receive` gets what it sends on its way.

    An exception that it raises is raised here. Raises `ProcessEndedError` where the process ends
    without a word, or is not done `GRACE` after the seconds that the work itself keeps to, and
    `NotIsolatedError` where the work cannot be sent to it, or it cannot begin (with a limit on the
    seconds: in `TO_START`). Ctrl-C is for this process alone: it ends the other.
    """
    try:
        pickled = cloudpickle.dumps(work)
    except Exception as error:
        raise NotIsolatedError(
            "isolate=True needs a candidate, and all that is given beside it, that can be pickled",
            f"{type(error).__name__}: {error}",
            "Define them without locks, generators or streams, or leave isolate out.",
        ) from error
    with _started() as process:
        has_begun = False
        deadline = _Deadline(process)
        if seconds is not None:
            deadline.move(TO_START)
        try:
            _hand_over(process, pickled)
            assert process.stdout is not None
            for kind, value in answers(process, process.stdout.fileno()):
                if kind == "begun" and seconds is not None:
                    deadline.move(seconds + GRACE)
                elif kind == "sent":
                    receive(value)
                elif kind == "raised":
                    raise value
                elif kind == "done":
                    return value
                has_begun = True
            process.wait()
        finally:
            deadline.timer.cancel()
            process.kill()
            process.wait()  # `with` gives up after a quarter of a second of Ctrl-C
    ended = how_it_ended(process.returncode)
    if not has_begun:
        when = f"after {TO_START:g} s, " * deadline.is_over + "before it began"
        raise _no_start(f"{ended} {when}; what it wrote is on standard error")
    if deadline.is_over:
        raise OutlastedError(f"it was not done {GRACE:g} s after the {seconds:g} s of seconds=")
    raise ProcessEndedError(ended)


def _started() -> subprocess.Popen[bytes]:
    command = [sys.executable or "python", "-P", "-c", START]
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # which it inherits
    try:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    except OSError as error:
        raise _no_start(f"{command[0]!r} could not be run: {error.strerror}") from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _no_start(arrived: str) -> InputError:
    return NotIsolatedError(
        "isolate=True needs another process in which Python and torchref start as in this one",
        arrived,
        'Try `python -c "import torchref"` with the same environment, or leave isolate out.',
    )


def _hand_over(process: subprocess.Popen[bytes], pickled: bytes) -> None:
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # it has ended, and how is told from its end
        pickle.dump(sys.path, process.stdin)
        pickle.dump(pickled, process.stdin)
    with suppress(BrokenPipeError):
        process.stdin.close()


class Process(Protocol):
    """What is asked of a process here, as `subprocess.Popen` has it."""

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int, /) -> None: ...
    def kill(self) -> None: ...


def answers(process: Process, pipe: int) -> Iterator[tuple[str, Any]]:
    """What the process says until it ends itself: those that it forked may hold the pipe longer.

    Each answer is a pickle, ahead of which stands its length.
    """
    said = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            has_ended = process.poll() is not None  # asked first: what it has said is still read
            if selector.select(0 if has_ended else LOOK):
                piece = os.read(pipe, 2**16)
                if not piece:
                    return
                said += piece
            elif has_ended:
                return
            while len(said) >= LENGTH:
                end = LENGTH + int.from_bytes(said[:LENGTH])
                if len(said) < end:
                    break
                answer = bytes(said[LENGTH:end])
                del said[:end]
                yield pickle.loads(answer)


def says(pipe: BinaryIO) -> Say:
    """What gives `answers` to whoever reads from the pipe."""

    def say(kind: str, value: Any = None) -> None:
        answer = cloudpickle.dumps((kind, value))
        pipe.write(len(answer).to_bytes(LENGTH) + answer)
        pipe.flush()

    return say


def how_it_ended(status: int) -> str:
    """In words, of what `Popen.returncode` is."""
    if status >= 0:
        return f"the process ended with exit status {status}"
    names = {each.value: each.name for each in signal.Signals}
    number = -status  # of those of real time most have no name
    return f"the process was ended by {names.get(number, f'signal {number}')}"


def serve() -> None:
    """The other process: work from standard input, answers on what was standard output."""
    send = says(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)  # what the work prints is no answer
    send("begun")
    pickled = pickle.load(sys.stdin.buffer)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of how torch's own classes are unpickled
            work = pickle.loads(pickled)
    except Exception as error:
        send("raised", _not_loaded(error))
        return
    try:
        send("done", work(lambda value: send("sent", value)))
    except Exception as error:
        send("raised", _sendable(error))


def _not_loaded(error: Exception) -> InputError:
    return NotIsolatedError(
        "isolate=True needs a candidate, and all that is given beside it, that can be loaded in "
        "another process",
        f"{type(error).__name__}: {error}",
        "Define them in the script itself, or in a module that can be imported from a file, or "
        "leave isolate out.",
    )


def _sendable(error: Exception) -> Exception:
    try:
        pickle.loads(cloudpickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
