"""A time limit for a call, by an alarm: the main thread of a Unix process has one."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


class TooLongError(BaseException):
    """Raised in the middle of whatever runs; no `except Exception` on the way takes it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TooLongError` in what runs longer."""

    def ring(*_: object) -> NoReturn:
        raise TooLongError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
