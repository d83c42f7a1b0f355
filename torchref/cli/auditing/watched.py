"""The process in which an audited program runs, and what is heard of it until it ends."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torchref.auditor.report.report import AuditReport, Row, unchecked
from torchref.checker.execution.isolation import how_it_ended
from torchref.cli.supervision.supervisor import Heard, supervise
from torchref.errors import InputError

PROGRAM = Path(__file__).with_name("program.py")


@dataclass
class HeardOfProgram(Heard):
    """What the process has said of the program and of its checks.

    `how` the program ended is "ended", "failed", "interrupted" or "absent"; None while it runs, and
    where the process ended with it.
    """

    how: str | None = None
    told: str = ""
    seen: list[tuple[str, str | None, int | None]] = field(default_factory=list)
    functions: list[tuple[str, str | None, int | None, int]] | None = None
    rows: list[Row] = field(default_factory=list)
    notes: tuple[str, ...] = ()

    def hear(self, kind: str, value: Any) -> None:
        """Take in one answer."""
        if kind == "program":
            self.how, self.told = value
            self.is_interrupted = self.how == "interrupted"
        elif kind in ("seen", "row"):
            (self.seen if kind == "seen" else self.rows).append(value)
        else:
            super().hear(kind, value)

    @property
    def patience(self) -> float | None:
        """A program takes as long as it takes; the checks are ours."""
        return None if self.how is None or self.is_done else super().patience

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
            rows += [unchecked(name, file, line, 1, why) for name, file, line in self.seen]
        for name, file, line, calls in self.functions or ():
            if name not in known:
                rows.append(unchecked(name, file, line, calls, self._why(name)))
        return AuditReport(tuple(rows), (*notes, *self.notes))

    def _why(self, name: str) -> str:
        if self.is_interrupted:
            return "not checked: interrupted"
        ended = how_it_ended(self.status)
        if self.trying.startswith(f"{name}, "):
            return f"{ended} at {self.trying}; --isolate checks each in a process of its own"
        return f"not checked: {ended} before"


def watched(
    program: Sequence[str], settings: Mapping[str, Any], tell: Callable[[HeardOfProgram], None]
) -> HeardOfProgram:
    """Run and check a program in a process of its own; `tell` is called with what is heard so far.

    The program has the standard input, output and error of this process. Raises `InputError` where
    Python cannot be started.
    """

    def start(_: int, theirs: int) -> "subprocess.Popen[bytes]":
        command = [
            sys.executable or "python",
            str(PROGRAM),
            str(theirs),
            json.dumps(dict(settings)),
        ]
        try:
            return subprocess.Popen([*command, *program], pass_fds=[theirs])
        except OSError as error:
            raise InputError(
                "an audit needs another process in which Python starts as in this one",
                f"{command[0]!r} could not be run: {error.strerror}",
                "Try `python -c 'import torchref'` with the same environment.",
            ) from error

    return supervise(start, HeardOfProgram(), tell)
