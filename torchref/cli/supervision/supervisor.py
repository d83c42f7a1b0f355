"""A process in which the user's code runs is started, heard from, and ended with the command."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, TypeVar

from torchref.checker.execution.isolation import Process, answers
from torchref.cli.supervision.signals import STOPPED, handled

MOST_END = 5.0  # seconds for what is ours: to stop when told to, and to end when all is said
MOST_STOPS = 3  # the signal that ends what still has not stopped


@dataclass
class Heard:
    """What the process has said so far."""

    refused: tuple[str, str, str] | None = None  # the words of an InputError
    trying: str = ""
    is_interrupted: bool = False
    is_done: bool = False
    status: int = 0

    def hear(self, kind: str, value: Any) -> None:
        """Take in one answer."""
        if kind == "interrupted":
            self.is_interrupted = True
        elif kind == "done":
            self.is_done = True
        else:
            setattr(self, kind, value)

    @property
    def patience(self) -> float | None:
        """How many seconds it may take to stop or to end; None for what is the user's program."""
        return MOST_END


AnyHeard = TypeVar("AnyHeard", bound=Heard)


def supervise(
    start: Callable[[int, int], Process], heard: AnyHeard, tell: Callable[[AnyHeard], None]
) -> AnyHeard:
    """What is heard of a process until it ends; `tell` is called with what is heard so far.

    start   is given the ends of a pipe: one that the process must not keep, and one to write to

    Ctrl-C and SIGTERM are for the process. What has not stopped then within its patience, or at the
    third of them, is ended.
    """
    ours, theirs = os.pipe()
    try:
        with _Passing(heard).handling() as passing:
            try:
                process = start(ours, theirs)
            finally:
                os.close(theirs)
            passing.begin(process)
            for kind, value in answers(process, ours):
                heard.hear(kind, value)
                tell(heard)
            heard.status = _status_at_its_end(process, heard.patience)
    finally:
        os.close(ours)
    if heard.status == -signal.SIGINT or (STOPPED.came and not heard.is_done):
        heard.is_interrupted = True
    return heard


def _status_at_its_end(process: Process, patience: float | None) -> int:
    try:
        return process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


class _Passing:
    """While it is entered, signals to stop go to the process, which is ended if it does not."""

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._process: Process | None = None
        self._early: list[int] = []  # that came before there was a process
        self._timer: threading.Timer | None = None

    def begin(self, process: Process) -> None:
        self._process = process
        for number in self._early:
            self._pass_to(process, number)

    @contextmanager
    def handling(self) -> Iterator["_Passing"]:
        try:
            with handled(self._pass_on):
                yield self
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def _pass_on(self, number: int, _: FrameType | None) -> None:
        if not STOPPED.note(number):
            return
        if self._process is None:
            self._early.append(number)
        elif number == signal.SIGINT and _is_in_foreground():
            self._wait_for(self._process)  # the terminal has sent it to both
        else:
            self._pass_to(self._process, number)

    def _pass_to(self, process: Process, number: int) -> None:
        process.send_signal(number)
        self._wait_for(process)

    def _wait_for(self, process: Process) -> None:
        patience = self._heard.patience
        if len(STOPPED.came) >= MOST_STOPS:
            process.kill()
        elif patience is not None and self._timer is None:
            self._timer = threading.Timer(patience, process.kill)
            self._timer.daemon = True
            self._timer.start()


def _is_in_foreground() -> bool:
    """Whether a terminal sends its Ctrl-C to this process, and to those that it has started."""
    try:
        with open("/dev/tty") as terminal:  # noqa: PTH123 - no file, and it may be missing
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False
