"""The one exception for input that torchref cannot work with, and what is worded alike."""

import os
import signal
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from io import StringIO, TextIOWrapper
from os import PathLike
from types import ModuleType
from typing import NoReturn

READER_LEFT = 128 + signal.SIGPIPE  # the exit status of what was ended as its reader left


class InputError(ValueError, RuntimeError):
    """Bad input: the message says what must hold, what arrived and the likely fix.

    torch answers such input with `ValueError` in some functions and `RuntimeError` in others.
    Code that was written against either still catches this one.

    >>> raise InputError("rate must be positive", "-1 arrived", "0.1 is usual.")
    Traceback (most recent call last):
    torchref.errors.InputError: rate must be positive, but -1 arrived. 0.1 is usual.
    """

    def __init__(self, invariant: str, arrived: str, fix: str) -> None:
        super().__init__(invariant, arrived, fix)  # as they came: it travels between processes

    def __str__(self) -> str:
        invariant, arrived, fix = self.args
        return f"{invariant}, but {arrived}. {fix}"


def known(name: str, names: Collection[str], what: str, otherwise: str) -> str:
    """The name, if it is among the names; `InputError` with the nearest one otherwise.

    >>> known("Sigmiod", ["Sigmoid", "Tanh"], "an op", "Leave it out.")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    torchref.errors.InputError: an op must be one of Sigmoid, Tanh, but 'Sigmiod' arrived. Did ...
    """
    import difflib  # which few need, and an import of errors is paid for by all

    if name not in names:
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        lower = {each.lower(): each for each in names}
        suggestion = lower.get(name.lower(), near[0] if near else None)
        raise InputError(
            f"{what} must be one of {', '.join(names)}",
            f"{name!r} arrived",
            f"Did you mean {suggestion}?" if suggestion else otherwise,
        )
    return name


def came_out(error: BaseException) -> str:
    """What to say of an error that the user's code has raised.

    >>> came_out(ValueError("no luck"))
    'ValueError came out of it: no luck'
    """
    return f"{type(error).__name__} came out of it: {error}".removesuffix(": ")


def not_writable(what: str, file: str | PathLike[str], error: OSError) -> InputError:
    """What to raise where a file that was named by `what` cannot be written."""
    return InputError(
        f"{what} must be a file that can be written",
        f"{file} cannot be: {error.strerror}",
        "Give a path in a folder that exists and that you may write to.",
    )


def not_handwritten(here: str, name: str, torchs: ModuleType, op: str | None) -> AttributeError:
    """What to raise for a name that a module does not have, though torch's may, or an op."""
    message = f"module {here!r} has no attribute {name!r}"
    if op is not None:
        message += f": as yet there is the op alone, torchref.ops.{op}.call(x)."
    elif hasattr(torchs, name):
        message += f": it is not handwritten yet. {torchs.__name__}.{name} works beside torchref's."
    return AttributeError(message)


class Closed(StringIO):
    """Standard output that was closed before the process began: `OSError` for what is written."""

    def write(self, _: str) -> NoReturn:
        raise OSError(0, "it is closed", "standard output")


def prepare_standard_streams() -> None:
    """Standard output says it where it is closed, and takes a ∂ that its encoding lacks.

    A closed stream gives its number to the next file that is opened, which is none of its own.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:  # Python's own answer to a closed one
        sys.stdout = Closed()
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def give_up_standard_output() -> None:
    """What is left in its buffer goes nowhere: Python would fail to write it at the end."""
    if not isinstance(sys.stdout, Closed):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


@contextmanager
def reader_awaited(is_awaited: bool) -> Iterator[None]:
    """Within, the process ends in silence as its reader leaves, as `head` does; or goes on.

    What goes on meets a `BrokenPipeError`, as all of Python does.
    """
    answer = signal.SIG_DFL if is_awaited else signal.SIG_IGN
    before = signal.signal(signal.SIGPIPE, answer)
    try:
        yield
    finally:
        signal.signal(signal.SIGPIPE, before)
