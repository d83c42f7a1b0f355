"""Ctrl-C and SIGTERM: both end a command, which still reports what it knows."""

import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

STOPS = (signal.SIGINT, signal.SIGTERM)
APART = 0.5  # seconds, within which a second signal is the first one, come on two ways


class StoppedError(KeyboardInterrupt):
    """A signal has come that is to end the command: no user's code has raised this."""


class Stops:
    """The signals that came, each once."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """None has come yet."""
        self.came: list[int] = []
        self._last = -math.inf

    def note(self, number: int) -> bool:
        """Whether it is a further one, and not the last one heard again."""
        now = time.monotonic()
        is_further = now - self._last > APART
        if is_further:
            self.came.append(number)
            self._last = now
        return is_further

    @property
    def name(self) -> str:
        """What came, as it is told."""
        return "SIGTERM" if self.is_terminated else "Ctrl-C"

    @property
    def is_terminated(self) -> bool:
        """Whether SIGTERM was among them."""
        return signal.SIGTERM in self.came


STOPPED = Stops()  # of the command that runs in this process


def stop(number: int, _: FrameType | None) -> None:
    """Handle a signal where the work is done: `StoppedError` comes out of it."""
    if STOPPED.note(number):
        raise StoppedError


@contextmanager
def handled(handle: Callable[[int, FrameType | None], Any] | signal.Handlers) -> Iterator[None]:
    """Within, the signals to stop are handled so; those that are ignored stay so, as by nohup."""
    before = {number: signal.getsignal(number) for number in STOPS}
    ours = [number for number in STOPS if before[number] not in (signal.SIG_IGN, None)]
    for number in ours:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])
