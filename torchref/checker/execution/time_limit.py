"""A limit on the time that a part of a cross-check may take, asked before every forward."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Clock = Callable[[], float]


class OutOfTimeError(BaseException):
    """No failure of the candidate: what catches its exceptions must let this one through."""


_limits: ContextVar[tuple[tuple[Clock, float], ...]] = ContextVar("limits", default=())


@contextmanager
def time_limit(seconds: float | None, clock: Clock = time.monotonic) -> Iterator[None]:
    """While it lasts, `require_time` raises once so many seconds are over; limits nest.

    `time.thread_time` as the clock does not count what others take of a busy machine.
    """
    end = math.inf if seconds is None else clock() + seconds
    token = _limits.set((*_limits.get(), (clock, end)))
    try:
        yield
    finally:
        _limits.reset(token)


def require_time() -> None:
    """Raise `OutOfTimeError` where a limit is over."""
    if any(clock() > end for clock, end in _limits.get() if end < math.inf):
        raise OutOfTimeError
