"""The user's tests in a process of their own: started, asked for runs, and ended."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from torchref.checker.execution.isolation import how_it_ended
from torchref.errors import InputError
from torchref.testing.mutation.command import FD, command_line, environment

TAIL = 40  # lines of what pytest said
MOST_END = 5.0  # seconds, for pytest to take down what it has set up
TIMES, SECONDS = 10.0, 10.0  # a test hangs where it takes so many times what it took, and so long


class DiedError(Exception):
    """The process of the tests ended amid a run; `test` is the one that ran, if any."""

    def __init__(self, how: str, test: str) -> None:
        super().__init__(how)
        self.test = test


class OutOfTimeError(Exception):
    """A run was ended; `test` ran then, and `hangs` says whether it had run far too long."""

    def __init__(self, test: str, hangs: bool) -> None:
        super().__init__(f"{test} was ended")
        self.test, self.hangs = test, hangs


@dataclass
class Collected:
    """What pytest found."""

    tests: list[str]
    files: list[str]  # that hold tests
    root: str
    forks: bool


@dataclass
class Suite:
    """One process with the user's tests, collected. It is started when it is first asked."""

    arguments: list[str]
    folder: Path  # what it leaves goes here
    imports: list[str] = field(default_factory=list)  # before it forks, since its tests do
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    _ours: Connection | None = field(default=None, init=False)
    _forks: bool = field(default=True, init=False)
    _is_over: bool = field(default=False, init=False)

    def start(self) -> Collected:
        """Raises `InputError` with what pytest said, where it does not come to its tests."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._ours, theirs = Pipe()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command_line(self.arguments, self.folder),
                env={**environment(self.folder), FD: str(theirs.fileno())},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # a Ctrl-C is for us, and ends it by way of `kill`
            )
        theirs.close()
        try:
            _ready, tests, files, root, self._forks = self._ours.recv()
            if self._forks and self.imports:
                self._import()
        except (EOFError, OSError):
            ended = self._how_it_ended()
            raise InputError(
                "pytest must collect the tests that it is given",
                f"{ended} before it ran any:\n{self.tail()}\n",
                "Run the same pytest command by itself first.",
            ) from None
        return Collected(tests, files, root, self._forks)

    def import_first(self, modules: list[str]) -> None:
        """From now on its process imports them before it forks, as its tests do anyway."""
        self.imports = modules
        if self._process is not None and self._forks:
            self._import()

    def _import(self) -> None:
        assert self._ours is not None
        try:
            self._ours.send({"do": "import", "modules": self.imports})
            _imported, still_forks = self._ours.recv()
        except (EOFError, OSError):  # one of them ends the process
            still_forks = False
        if not still_forks:  # the next process does without
            self.imports = []
            self.end()

    def ask(
        self, request: dict[str, Any], took: Mapping[str, float], seconds: float | None = None
    ) -> Iterator[tuple[Any, ...]]:
        """What the process tells of a run: ("ended", test, outcome, seconds, text), and more.

        `took` says what each test took at first; one that it knows is ended where it hangs. The
        run is ended after the seconds. Raises `OutOfTimeError` then, `DiedError` where it ends.
        """
        if self._is_over:
            raise DiedError("it was ended", "")
        while self._process is None:
            self.start()
        assert self._ours is not None
        self._ours.send(request)
        test = ""  # that runs now
        begun = test_begun = time.monotonic()
        while True:
            limit = TIMES * took[test] + SECONDS if test in took else None
            ends = [test_begun + limit] if limit is not None else []
            ends += [] if seconds is None else [begun + seconds]
            left = max(0.0, min(ends) - time.monotonic()) if ends else None
            message = self._next(left, test)
            if message is None:
                ran = time.monotonic() - test_begun
                self.kill()
                raise OutOfTimeError(test, test in took and ran > TIMES * took[test])
            kind, *told = message
            if kind == "done":
                yield message
                break
            if kind == "died":
                self.kill()
                raise DiedError(told[0], test)
            if kind == "test":
                test, test_begun = told[0], time.monotonic()
            yield message
        if not self._forks:
            self.kill()

    def _next(self, seconds: float | None, test: str) -> tuple[Any, ...] | None:
        assert self._ours is not None
        try:
            return self._ours.recv() if self._ours.poll(seconds) else None
        except (EOFError, OSError):
            raise DiedError(self._how_it_ended(), test) from None

    def _how_it_ended(self) -> str:
        """Of the process, which has closed its connection."""
        process, status = self._process, None
        if process is not None:  # None where another thread has ended it
            with suppress(subprocess.TimeoutExpired):
                status = process.wait(MOST_END)
        self.kill()
        return "the process left its connection" if status is None else how_it_ended(status)

    def tail(self) -> str:
        """The last that pytest said."""
        said = self._log.read_text(errors="replace").rstrip().splitlines()
        return "\n".join(said[-TAIL:])

    def end(self) -> None:
        """Let the process end by itself: pytest takes down what it has set up for all tests."""
        if self._process is not None and self._ours is not None:
            with suppress(OSError):
                self._ours.send(None)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(MOST_END)
        self.kill()

    def stop(self) -> None:
        """End it at once, for good, from whichever thread."""
        self._is_over = True
        self.kill()

    def kill(self) -> None:
        """End the process, and all that it has started."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @property
    def _log(self) -> Path:
        return self.folder / "pytest.txt"
