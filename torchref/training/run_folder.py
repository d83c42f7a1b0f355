"""The folder of one run. Every run has its own: nothing is overwritten or mixed."""

from collections.abc import Iterator
from datetime import datetime
from itertools import count
from pathlib import Path

from torchref.errors import InputError


def create_run_folder(logdir: Path, experiment: str, config: str, seed: int) -> Path:
    """A new folder `logdir/experiment/time_config_sSEED/`.

    Raises `InputError` where `logdir` cannot be written.
    """
    name = f"{datetime.now():%Y%m%d-%H%M%S}_{config}_s{seed}"
    try:
        for folder in (logdir / experiment / each for each in variants(name)):
            folder.parent.mkdir(parents=True, exist_ok=True)
            try:
                folder.mkdir()
            except FileExistsError:  # two runs in one second
                continue
            return folder
    except OSError as error:
        raise InputError(
            "The log folder must be a folder that can be written",
            f"{error.filename or logdir} cannot be made: {error.strerror}",
            "Give another one with --logdir.",
        ) from error
    raise AssertionError("the variants of a name do not end")


def variants(name: str) -> Iterator[str]:
    """name, name-2, name-3, ..."""
    yield name
    yield from (f"{name}-{number}" for number in count(2))
