"""Files that are there whole or not at all, whatever ends the process while they are written."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

SUFFIX = ".partial"


def write_whole(file: Path, content: bytes) -> None:
    """Writes beside `file`, waits for the disk, and only then takes the name of `file`."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.", suffix=SUFFIX)
    try:
        with os.fdopen(descriptor, "wb") as partial:
            partial.write(content)
            partial.flush()
            os.fsync(partial.fileno())
        Path(name).replace(file)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def write_over(file: Path, content: bytes) -> None:
    """Over what the file holds, filled up with spaces: needs no room, and may be cut short."""
    with file.open("r+b") as whole:
        whole.write(content.ljust(file.stat().st_size))


def link_whole(source: Path, file: Path) -> None:
    """Gives the content of `source` the name of `file` too, without copying it."""
    partial = file.with_name(f"{file.name}{SUFFIX}")
    partial.unlink(missing_ok=True)
    partial.hardlink_to(source)
    partial.replace(file)


def remove_partial(folder: Path) -> None:
    """Clears away what a killed process left half-written."""
    for partial in folder.glob(f"*{SUFFIX}"):
        partial.unlink()
