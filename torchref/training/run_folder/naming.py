"""Which run is meant: what a log folder, a name, --resume and the other options say together."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torchref.errors import InputError

FOLDERS = {"logdir": "Runs go below it: runs is usual, and . is the folder in which you are."}
NAMES = {
    "run_name": "Give it a name, or leave it out: the time and the settings make one then.",
    "resume": "Give a run's folder, its name, or latest.",
}


def require_named(logdir: str | Path, run_name: str | None, resume: str | None) -> None:
    """Raises `InputError` for names that are empty."""
    for name, given in (("logdir", logdir), ("run_name", run_name), ("resume", resume)):
        if given is not None and not str(given).strip():
            raise InputError(
                f"--{name.replace('_', '-')} must name something",
                f"{str(given)!r} arrived",
                (FOLDERS | NAMES)[name],
            )


def require_one_run(run_name: str | None, resume: str | None, *, dry_run: bool) -> None:
    """Raises `InputError` for a name and a `resume` of different runs, and for a dry one."""
    if resume is None:
        return
    if run_name is not None and run_name != Path(resume).name:
        raise InputError(
            "--resume goes on with a run under the name that it has",
            f"--run-name {run_name} arrived beside --resume {resume}",
            "Leave out --run-name to go on, or --resume to begin a run of that name.",
        )
    if dry_run:
        raise InputError(
            "A dry run begins anew and keeps nothing",
            f"--resume {resume} arrived beside --dry-run",
            "Leave one of them out.",
        )


def require_alike(run: str, begun: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Raises `InputError` for settings that are not those with which a run was begun."""
    differing = [name for name, value in given.items() if begun.get(name) != value]
    if differing:
        own = [as_option(name, begun.get(name)) for name in differing]
        arrived = [as_option(name, given[name]) for name in differing]
        repeated = " ".join(each for each in own if not each.startswith("no "))
        raise InputError(
            "A run goes on with the settings that it began with",
            f"{run} has {', '.join(own)}, and {', '.join(arrived)} arrived",
            f"Give {f'--resume {shlex.quote(run)} {repeated}'.rstrip()} in place of that; "
            "without --resume a new run begins.",
        )


def as_option(name: str, value: Any) -> str:
    """A setting as a command line says it.

    >>> as_option("batch_size", 8), as_option("autocast", False), as_option("gradients", ["torch"])
    ('--batch-size 8', 'no --autocast', '--gradients torch')
    """
    option = f"--{name.replace('_', '-')}"
    if value is None or value is False:
        return f"no {option}"
    if value is True:
        return option
    several = value if isinstance(value, list) else [value]
    return " ".join(f"{option} {shlex.quote(str(each))}" for each in several)
