"""The options of a run that is gone on with, as far as a command line does not give them."""

import glob
from collections.abc import Collection, Mapping
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Any

from torchref.training.run_folder.run_folder import record_in


def remembered(
    options: Mapping[str, Any], given: Collection[str], experiment: str
) -> dict[str, Any]:
    """Of the options those that are not `given`, as the run that `resume` means began with them.

    None where there is no such run: to say so is left to who opens it.
    """
    record = record_of(Path(options["logdir"]), experiment, options)
    settings = record["settings"] if record else {}
    return {
        name: alike(default, settings[name])
        for name, default in options.items()
        if name in settings and name not in given
    }


def record_of(logdir: Path, experiment: str, options: Mapping[str, Any]) -> dict[str, Any] | None:
    """Of the run itself; of one of several runs, or of the parts of one, any: they are alike."""
    run, seed = options["resume"], options.get("seed")
    below = logdir / experiment
    if run == "latest":
        files = [*below.glob("*/config.json"), *below.glob("*/*/config.json")]
        newest = sorted(files, key=lambda file: file.stat().st_ctime, reverse=True)
        records = filter(None, (record_in(file.parent) for file in newest))
        return next((each for each in records if each["settings"].get("seed") == seed), None)
    name = glob.escape(Path(run).name)
    patterns = name, f"{name}_s*", f"*/{name}"
    folders = [*chain(*map(below.glob, patterns)), Path(run)]
    return next(filter(None, map(record_in, folders)), None)


def alike(default: Any, value: Any) -> Any:
    """A value of the record, of the type that the option has."""
    if isinstance(default, StrEnum):
        return type(default)(value)
    if isinstance(default, list) and default and isinstance(value, list):
        return [alike(default[0], each) for each in value]
    return value
