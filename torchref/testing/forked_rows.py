"""Rows of an audit made in a fork, so that a Function may end what checks it."""

import os
import pickle
import signal
from collections.abc import Callable, Iterator
from typing import Any

import torch

from torchref.auditor import Row
from torchref.checker.execution.fork import fork

ENDED = "not checked: it ended the process"
MakeRows = Callable[[list[str], Callable[[str], None]], Iterator[Row]]
Ended = Callable[[str, str], Row]  # the row of a Function by its name, and what became of it


def rows_in_a_fork(
    names: list[str], make_rows: MakeRows, ended: Ended, tick: Callable[[str], None]
) -> Iterator[Row]:
    """The rows of these Functions, in their order, each as soon as it is known.

    Where one ends the fork, the next goes on with those after it. In this process itself where it
    cannot fork: where there is no fork, or CUDA has begun.
    """
    if not hasattr(os, "fork") or torch.cuda.is_initialized():
        yield from make_rows(names, tick)
        return
    left = list(names)
    while left:
        child = _Child(left, make_rows)
        try:
            for kind, what in child.messages():
                if kind == "interrupted":
                    raise KeyboardInterrupt
                if kind == "trying":
                    tick(what)
                else:
                    left.pop(0)
                    yield what
        except BaseException:
            child.kill()
            raise
        status = child.wait()
        if left:
            how = f"signal {-status}" if status < 0 else f"exit status {status}"
            yield ended(left.pop(0), f"{ENDED}, with {how}")


class _Child:
    """A fork that makes rows, and sends them and what it tries."""

    def __init__(self, names: list[str], make_rows: MakeRows) -> None:
        self._reader, writer = os.pipe()
        self._pid = fork(lambda: _send(writer, names, make_rows))
        os.close(writer)

    def messages(self) -> Iterator[tuple[str, Any]]:
        with os.fdopen(self._reader, "rb") as stream:
            while True:
                try:
                    yield pickle.load(stream)
                except (EOFError, pickle.UnpicklingError):  # it ended, perhaps within a message
                    return

    def wait(self) -> int:
        """Its exit status, or the number of the signal that ended it as a negative one."""
        _, status = os.waitpid(self._pid, 0)
        return os.waitstatus_to_exitcode(status)

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        self.wait()


def _send(writer: int, names: list[str], make_rows: MakeRows) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that was forked
    torch.set_num_threads(1)  # the threads of the process that was forked are not in this one
    with os.fdopen(writer, "wb") as stream:

        def send(kind: str, what: object) -> None:
            pickle.dump((kind, what), stream)
            stream.flush()

        try:
            for row in make_rows(names, lambda what: send("trying", what)):
                send("row", row)
        except KeyboardInterrupt:  # as code that is checked may raise too
            send("interrupted", None)
