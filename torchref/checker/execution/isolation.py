"""Work in a process of its own: where it ends, by a signal or an assertion, the user's goes on."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from typing import IO, Any

import cloudpickle

from torchref.errors import InputError

Send = Callable[[Any], None]
GRACE = 10.0  # seconds: to start Python and torch, and to end by itself
START = "from torchref.checker.execution.isolation import serve; serve()"


class ProcessEndedError(Exception):
    """The process ended before its work was done; the message says how."""


class OutlastedError(ProcessEndedError):
    """It was ended because it had not come to an end by itself."""


def run_isolated(work: Callable[[Send], Any], receive: Send, seconds: float | None = None) -> Any:
    """What `work` returns, called in a new process; `receive` gets what it sends on its way.

    An exception that it raises is raised here. Raises `ProcessEndedError` where the process ends
    without a word, or is not done `GRACE` after the seconds that the work itself keeps to, and
    `InputError` where the work cannot be sent to it.
    """
    try:
        pickled = cloudpickle.dumps(work)
    except Exception as error:
        raise InputError(
            "isolate=True needs a candidate, and all that is given beside it, that can be pickled",
            f"{type(error).__name__}: {error}",
            "Define them without locks, generators or streams, or leave isolate out.",
        ) from error
    with subprocess.Popen(
        [sys.executable, "-c", START], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer((seconds or 0) + GRACE, end)
        if seconds is not None:
            timer.start()
        try:
            pickle.dump(sys.path, process.stdin)
            pickle.dump(pickled, process.stdin)
            process.stdin.close()
            return _answer(process.stdout, receive)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            if late.is_set():
                raise OutlastedError(
                    f"it was not done {GRACE:g} s after the {seconds:g} s of seconds="
                ) from None
            raise ProcessEndedError(_how(process.wait())) from None
        finally:
            timer.cancel()
            process.kill()


def _answer(answers: IO[bytes], receive: Send) -> Any:
    while True:
        kind, value = pickle.load(answers)
        if kind == "sent":
            receive(value)
        elif kind == "raised":
            raise value
        else:
            return value


def _how(status: int) -> str:
    if status >= 0:
        return f"the process ended with exit status {status}"
    return f"the process was ended by {signal.Signals(-status).name}"


def serve() -> None:
    """The other process: work from standard input, answers on what was standard output."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the work prints is no answer

    def send(kind: str, value: Any) -> None:
        answers.write(cloudpickle.dumps((kind, value)))
        answers.flush()

    sys.path[:] = pickle.load(sys.stdin.buffer)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of how torch's own classes are unpickled
            work = pickle.loads(pickle.load(sys.stdin.buffer))
        send("done", work(lambda value: send("sent", value)))
    except Exception as error:
        send("raised", _sendable(error))


def _sendable(error: Exception) -> Exception:
    try:
        pickle.loads(cloudpickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
