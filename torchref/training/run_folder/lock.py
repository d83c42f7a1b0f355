"""One process at a time writes a run: whoever has the lock on a file in its folder."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from torchref.errors import InputError

NAME = "lock"


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Nobody else writes the run while this lasts.

    The lock ends with the process, however that ends: what a killed one leaves is a file, and no
    lock. Raises `InputError` where another process has it, with the process that it is.
    """
    file = run / NAME
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise InputError(
            "The folder of a run must be one that can be written",
            f"{file} cannot be: {error.strerror}",
            "Free it, or start a new run elsewhere with --logdir.",
        ) from error
    try:
        take(descriptor, run)
        with suppress(OSError):  # a full disk: then nobody is named
            os.ftruncate(descriptor, 0)
            os.write(descriptor, holder().encode())
        yield
    finally:
        os.close(descriptor)


def take(descriptor: int, run: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        who = os.read(descriptor, 1000).decode(errors="replace") or "another process"
        raise InputError(
            "A run must be written by one process at a time",
            f"{who} has {run}",
            "Wait until it has ended, or end it; without --resume a run of its own begins.",
        ) from None
    except OSError as error:
        print(
            f"{run} cannot be locked ({error.strerror}): no other process may write it meanwhile.",
            flush=True,
        )


def holder() -> str:
    return f"process {os.getpid()} on {socket.gethostname()}, since {datetime.now():%Y-%m-%d %H:%M}"
