"""The folder of a run for as long as it lasts: found or made at first, and marked with its end."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from torchref.errors import InputError
from torchref.training.process.device import compute_alike
from torchref.training.process.stopping import Interrupted
from torchref.training.run_folder.lock import locked
from torchref.training.run_folder.run_folder import NoRunError, RunFolder, dated
from torchref.training.settings import Settings

ENDS = "epochs", "steps"


@contextmanager
def recorded_run(settings: Settings, experiment: str, config: str) -> Iterator[Path]:
    """The folder of a run that does its own work."""
    compute_alike(settings.deterministic, settings.threads)
    with lasting(settings) as settings:
        name = settings.run_name or dated(config, settings.seed)
        folder = RunFolder.create(settings.logdir, experiment, name, settings.curve())
        with kept_status(folder, told=not settings.dry_run):
            yield folder.path


@contextmanager
def lasting(settings: Settings) -> Iterator[Settings]:
    """The same settings, but for a dry run: its folder lasts no longer than this."""
    if not settings.dry_run:
        yield settings
        return
    with TemporaryDirectory() as nowhere:
        yield replace(settings, logdir=Path(nowhere))


@contextmanager
def opened(
    experiment: str, settings: Settings, begin_missing: bool, own: Mapping[str, Any]
) -> Iterator[tuple[RunFolder, Settings]]:
    """The folder of a training, locked, and the settings as they are for it.

    Without `resume` where it is begun after all; with the run's own end where none is asked for.
    `own` takes the place of settings in the record.
    """
    folder, settings = found_or_made(experiment, settings, begin_missing, own)
    with locked(folder.path):
        if settings.resume:
            folder.read()
            if settings.own_end:
                epochs, steps = (folder.record.get(name) for name in ENDS)
                settings = replace(settings, epochs=epochs, steps=steps)
        yield folder, settings


def found_or_made(
    experiment: str, settings: Settings, begin_missing: bool, own: Mapping[str, Any]
) -> tuple[RunFolder, Settings]:
    curve = {**settings.curve(), **own}
    if settings.resume:
        given = {name: it for name, it in curve.items() if name not in ENDS or not settings.own_end}
        try:
            return RunFolder.reopen(settings.logdir, experiment, settings.resume, given), settings
        except NoRunError:
            if not begin_missing:
                raise
        name = None if settings.resume == "latest" else Path(settings.resume).name
        settings = replace(settings, resume=None, run_name=name)
    name = settings.run_name or dated(settings.short, settings.seed)
    return RunFolder.create(settings.logdir, experiment, name, curve), settings


@contextmanager
def kept_status(folder: RunFolder, *, told: bool) -> Iterator[None]:
    """The record of the run says how it ended, and the message where it is or how to go on."""
    how = f"--resume {folder.path.name}, or Settings(resume={folder.path.name!r}) and the same call"
    try:
        folder.mark("running")
        yield
    except Interrupted as interrupted:
        folder.mark("interrupted")
        interrupted.args = (f"{interrupted} Go on with {how}",)
        raise
    except BaseException as error:
        folder.mark_failed()
        if not isinstance(error, OSError) or isinstance(error, BrokenPipeError):
            raise
        raise InputError(
            "A run needs room for what it logs and saves",
            f"{error.filename or folder.path}: {error.strerror or error}",
            f"Make room, and go on with {how}: the checkpoint from before is whole."
            if any(folder.path.glob("checkpoints/*.pt"))
            else "Make room, and start again.",
        ) from error
    folder.mark("finished")
    if told:
        print(f"The run is in {folder.path}")
