"""Where commands write, and how they end: 0 all is right, 1 something is not, 2 bad usage."""

import difflib
import os
import sys
from collections.abc import Collection
from pathlib import Path

import torch
from rich.console import Console

from torchref.errors import InputError, not_writable

RIGHT, WRONG, USAGE, INTERRUPTED = 0, 1, 2, 130
STANDARD = "-"  # the name of a file that means standard output


class _Output(Console):
    """Standard output, which says that it was closed as it says that a disk is full."""

    def on_broken_pipe(self) -> None:
        raise OSError(0, "its reader has closed it") from None


out = _Output()
err = Console(stderr=True)


def known(name: str, names: Collection[str], what: str, otherwise: str) -> str:
    """The name, if it is among the names; `InputError` with the nearest one otherwise."""
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
        lower = {each.lower(): each for each in names}
        suggestion = lower.get(name.lower(), near[0] if near else None)
        raise InputError(
            f"{what} must be one of {', '.join(names)}",
            f"{name!r} arrived",
            f"Did you mean {suggestion}?" if suggestion else otherwise,
        )
    return name


def device_named(name: str) -> torch.device:
    if name not in ("cpu", "cuda"):
        raise InputError("--device must be cpu or cuda", f"{name!r} arrived", "The default is cpu.")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "--device cuda needs a CUDA device and a torch built for it",
            f"torch {torch.__version__} finds none",
            "Leave --device out to run on the CPU.",
        )
    return torch.device(name)


def require_writable(option: str, file: Path) -> None:
    """Found out before the work, not after it."""
    try:
        with file.open("a"):
            pass
    except OSError as error:
        raise not_writable(option, file, error) from None


def write_out(text: str) -> None:
    """Text as it is on standard output; raises `OSError` where that takes it no more."""
    if sys.stdout is None:
        raise OSError(0, "it is closed")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        out.on_broken_pipe()


def give_up_standard_output() -> None:
    """What is left in its buffer goes nowhere: Python would fail to write it at the end."""
    if sys.stdout is not None:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
