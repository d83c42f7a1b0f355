"""The one exception for input that torchref cannot work with, and what is worded alike."""

import sys
from io import TextIOWrapper
from os import PathLike
from types import ModuleType


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


def escape_what_the_terminal_lacks() -> None:
    """Standard output gets `\\u2202` for a ∂ that its encoding lacks, not a `UnicodeError`."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
