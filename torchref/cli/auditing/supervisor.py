"""Starts the process in which an audited program runs, and hears from it until it ends."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from torchref.auditor.report.report import AuditReport, Row
from torchref.checker.execution.isolation import answers, how_it_ended
from torchref.errors import InputError

PROGRAM = Path(__file__).with_name("program.py")
FREE = 3  # the first descriptor beside standard input, output and error, which may be closed


@dataclass
class Heard:
    """What the process has said of the program and of its checks.

    `how` the program ended is "ended", "failed", "interrupted" or "absent"; None while it runs, and
    where the process ended with it.
    """

    how: str | None = None
    told: str = ""
    refused: tuple[str, str, str] | None = None
    trying: str = ""
    is_interrupted: bool = False
    is_done: bool = False
    seen: list[tuple[str, str | None, int | None]] = field(default_factory=list)
    functions: list[tuple[str, str | None, int | None, int]] | None = None
    rows: list[Row] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    status: int = 0

    def hear(self, kind: str, value: Any) -> None:
        """Take in one answer."""
        if kind == "program":
            self.how, self.told = value
            self.is_interrupted = self.how == "interrupted"
        elif kind in ("seen", "row"):
            (self.seen if kind == "seen" else self.rows).append(value)
        elif kind == "interrupted":
            self.is_interrupted = True
        elif kind == "done":
            self.is_done = True
        else:  # functions, refused, trying, notes
            setattr(self, kind, value)

    @property
    def ending(self) -> str:
        """How the program ended, or the process with it; empty where as it should."""
        if self.how is None:
            return f"{how_it_ended(self.status)} before the program was over"
        if self.how == "interrupted":
            return "the program was interrupted"
        return f"the program {self.told}" if self.how == "failed" else ""

    def report(self) -> AuditReport:
        """The rows that came, one for each Function that was not checked, and the notes."""
        notes = [self.ending] if self.ending else []
        if self.how is not None and not self.is_done:
            notes.append(f"{how_it_ended(self.status)} before its checks were over")
        rows = list(self.rows)
        known = {row.name for row in rows}
        if self.functions is None:
            why = "not checked: the process ended during the program, after one call or more"
            rows += [_unchecked(name, file, line, 1, why) for name, file, line in self.seen]
        for name, file, line, calls in self.functions or ():
            if name not in known:
                rows.append(_unchecked(name, file, line, calls, self._why(name)))
        return AuditReport(tuple(rows), (*notes, *self.notes))

    def _why(self, name: str) -> str:
        if self.is_interrupted:
            return "not checked: interrupted"
        ended = how_it_ended(self.status)
        if self.trying.startswith(f"{name}, "):
            return f"{ended} at {self.trying}; --isolate checks each in a process of its own"
        return f"not checked: {ended} before"


def _unchecked(name: str, file: str | None, line: int | None, calls: int, why: str) -> Row:
    return Row(name, file, line, calls, (), "cannot tell", note=why)


def supervise(
    program: Sequence[str], settings: Mapping[str, Any], tell: Callable[[Heard], None]
) -> Heard:
    """Run and check a program in a process of its own; `tell` is called with what is heard so far.

    The program has the standard input, output and error of this process. Raises `InputError` where
    Python cannot be started.
    """
    heard = Heard()
    ours, theirs = map(_above_the_standard_ones, os.pipe())
    command = [sys.executable or "python", str(PROGRAM), str(theirs), json.dumps(dict(settings))]
    with _interrupts_passed_on() as pass_to:
        try:
            process = subprocess.Popen([*command, *program], pass_fds=[theirs])
        except OSError as error:
            raise InputError(
                "an audit needs another process in which Python starts as in this one",
                f"{command[0]!r} could not be run: {error.strerror}",
                "Try `python -c 'import torchref'` with the same environment.",
            ) from error
        os.close(theirs)
        pass_to.append(process)
        for kind, value in answers(process, ours):
            heard.hear(kind, value)
            tell(heard)
        heard.status = process.wait()
        os.close(ours)
        if heard.status == -signal.SIGINT:
            heard.is_interrupted = True
    return heard


def _above_the_standard_ones(descriptor: int) -> int:
    """The program would write into a pipe that has the number of a closed standard output."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, FREE)
    os.close(descriptor)
    return moved


@contextmanager
def _interrupts_passed_on() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Ctrl-C is for the program: a terminal gives it to both, and other senders to this one."""
    processes: list[subprocess.Popen[bytes]] = []

    def pass_on(number: int, _: FrameType | None) -> None:
        if number != signal.SIGINT or not _is_in_foreground():
            for process in processes:
                process.send_signal(number)

    before = {n: signal.signal(n, pass_on) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield processes
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_in_foreground() -> bool:
    """Whether a terminal sends its Ctrl-C to this process, and to those that it has started."""
    try:
        with open("/dev/tty") as terminal:  # noqa: PTH123 - no file, and it may be missing
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False
