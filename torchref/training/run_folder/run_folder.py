"""The folder of one run. Every run has its own: nothing is overwritten or mixed."""

import json
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from importlib import metadata
from itertools import chain, count
from pathlib import Path
from typing import Any

import torch

from torchref.errors import InputError
from torchref.training.process.atomic import write_over, write_whole
from torchref.training.run_folder.naming import require_alike

OF_ALL = ("experiment", "settings")  # of the record: what stays as it is while a run goes on


class NoRunError(InputError):
    """There is no such run to go on with."""


class RunFolder:
    """`logdir/experiment/time_config_sSEED/`, with its record in `config.json`."""

    def __init__(self, path: Path, record: dict[str, Any]) -> None:
        self.path, self.record = path, record

    @classmethod
    def create(
        cls, logdir: Path, experiment: str, name: str, settings: Mapping[str, Any]
    ) -> "RunFolder":
        """A new folder, for which `name` is a name or the short configuration that makes one.

        Raises `InputError` where `logdir` cannot be written.
        """
        try:
            path = new_folder(logdir / experiment, name)
            folder = cls(
                path, {"experiment": experiment, "settings": dict(settings), **surroundings()}
            )
            folder.mark("started")
        except OSError as error:
            raise InputError(
                "The log folder must be a folder that can be written",
                f"{error.filename or logdir} cannot be made: {error.strerror}",
                "Give another one with --logdir.",
            ) from error
        return folder

    @classmethod
    def reopen(
        cls, logdir: Path, experiment: str, run: str, settings: Mapping[str, Any]
    ) -> "RunFolder":
        """The folder of a run to go on with: its path, its name, or `latest`, of that seed.

        Raises `InputError` for a folder without a run, and for settings that would make another
        curve of it.
        """
        path, record = found(logdir, experiment, run, settings.get("seed"))
        if record.get("experiment") != experiment:
            raise InputError(
                f"--resume must name a run of {experiment}",
                f"{path} is one of {record.get('experiment')}",
                "Go on with it by the experiment that began it.",
            )
        require_alike(path.name, record["settings"], settings)
        return cls(path, record)

    def read(self) -> None:
        """Once more: until the folder was locked another process may have had the run."""
        self.record = record_in(self.path) or self.record

    def go_on(self) -> None:
        """Puts what the record says of the way so far under "before", and where it goes on."""
        before = self.record.pop("before", [])
        so_far = {name: it for name, it in self.record.items() if name not in OF_ALL}
        kept = {name: it for name, it in self.record.items() if name in OF_ALL}
        self.record = kept | surroundings() | {"before": [*before, so_far]}

    def mark(self, status: str) -> None:
        """Writes the record with the status started, running, finished, interrupted or failed."""
        self.record["status"] = status
        write_whole(self.path / "config.json", self.content)

    @property
    def content(self) -> bytes:
        return json.dumps(self.record, indent=2).encode()

    def mark_failed(self) -> None:
        """Also where the disk takes no new file, in the place that the record has."""
        try:
            self.mark("failed")
        except OSError:
            with suppress(OSError):
                write_over(self.path / "config.json", self.content)


def found(logdir: Path, experiment: str, run: str, seed: int | None) -> tuple[Path, dict[str, Any]]:
    """The folder of a run, and its record; the latest is the last one of that seed."""
    files = (logdir / experiment).glob("*/config.json")
    runs = [file.parent for file in sorted(files, key=lambda file: file.stat().st_ctime)]
    by_name = logdir / experiment / run
    path = by_name if by_name.is_dir() else Path(run)
    if run == "latest":
        records = {path: record for path in runs if (record := record_in(path))}
        mine = [path for path, record in records.items() if record["settings"].get("seed") == seed]
        path = mine[-1] if mine else path
    record = record_in(path)
    if record is None:
        broken = (path / "config.json").exists()
        known = ", ".join(each.name for each in runs[-3:]) or "none"
        arrived = f"{run!r} arrived" + (f", and seed {seed} has none" if run == "latest" else "")
        raise NoRunError(
            f"--resume must name a run of {experiment} below {logdir}",
            f"{arrived}{', whose config.json cannot be read' if broken else ''}",
            f"The newest runs there: {known}.",
        )
    return path, record


def record_in(folder: Path) -> dict[str, Any] | None:
    """What config.json says, if it is there and is the record of a run."""
    try:
        record = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError):
        return None
    settings = record.get("settings") if isinstance(record, dict) else None
    return record if isinstance(settings, dict) else None


def new_folder(parent: Path, name: str) -> Path:
    """name, name-2, name-3, ...: the first that is not there."""
    parent.mkdir(parents=True, exist_ok=True)
    for folder in chain([parent / name], (parent / f"{name}-{number}" for number in count(2))):
        with suppress(FileExistsError):  # two runs in one second
            folder.mkdir()
            break
    return folder


def dated(config: str, seed: int) -> str:
    return f"{datetime.now():%Y%m%d-%H%M%S}_{config}_s{seed}"


def surroundings() -> dict[str, Any]:
    """Where and with what a run was done."""
    commit = git("rev-parse", "HEAD")
    return {
        "command": shlex.join([Path(sys.executable).name, *sys.argv]),
        "torchref": installed_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "python": platform.python_version(),
        "threads": torch.get_num_threads(),
        "commit": commit,
        "dirty": None if commit is None else bool(git("status", "--porcelain")),
    }


def installed_version() -> str | None:
    try:
        return metadata.version("torchref")
    except metadata.PackageNotFoundError:  # run from a checkout
        return None


def git(*arguments: str) -> str | None:
    """What git says of torchref's own files, or None without git."""
    command = ["git", "-C", str(Path(__file__).parent), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
