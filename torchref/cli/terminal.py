"""Where commands write, and how they end: 0 all is right, 1 something is not, 2 bad usage."""

import sys
from pathlib import Path

from rich.console import Console

from torchref.errors import not_writable

RIGHT, WRONG, USAGE, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143
STANDARD = "-"  # the name of a file that means standard output


class _Output(Console):
    """Standard output, which says that it was closed as it says that a disk is full."""

    def on_broken_pipe(self) -> None:
        raise OSError(0, "its reader has closed it") from None


out = _Output()
err = Console(stderr=True)


def require_writable(option: str, file: Path) -> None:
    """Found out before the work, not after it; where the work fails no empty file is left."""
    is_new = not file.exists()
    try:
        with file.open("a"):
            pass
        if is_new:
            file.unlink()
    except OSError as error:
        raise not_writable(option, file, error) from None


def write_out(text: str) -> None:
    """Text as it is on standard output; raises `OSError` where that takes it no more."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        out.on_broken_pipe()
