"""A training from its settings: device, processes, run folder, and how each of its ends is kept."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch.nn import Module

from torchref.errors import InputError
from torchref.training.checkpoint import Checkpoints
from torchref.training.closing import crosscheck_thoroughly, explain_trained
from torchref.training.device import compute_alike, resolve_device
from torchref.training.display import Display
from torchref.training.distribution import joined
from torchref.training.logbook import Logbook
from torchref.training.loop import Loop
from torchref.training.progress import Progress
from torchref.training.recorder import CHARTS, Recorder
from torchref.training.run_folder import NoRunError, RunFolder, dated
from torchref.training.settings import Gradients, Settings
from torchref.training.stopping import Interrupted, StopRequest
from torchref.training.task import Task


@dataclass(frozen=True)
class Outcome:
    """How a training ended: where, after how many whole epochs and how many steps, by what.

    `ended_by` is "epochs", "steps", "threshold" or "patience". `scalars` holds for each contender
    the last value of every tag, and `models` the trained models. Under torchrun the folder is the
    first process' alone, and a dry run has none.
    """

    folder: Path | None
    epochs: int
    steps: int
    ended_by: str
    scalars: Mapping[str, Mapping[str, float]]
    models: Mapping[str, Module]


def train(
    task: Task, settings: Settings, *, threshold: float = 0.0, begin_missing: bool = False
) -> Outcome:
    """Trains the task's network with each kind of `settings.gradients`, all in step, and logs it.

    All contenders start from the network's weights and see the same batches. Epoch n is the state
    after n epochs, so that epoch 0 is the common start. The training ends after `settings.epochs`
    or `settings.steps`, when the losses of all are below `threshold`, or when the held-out loss of
    the first improves no more (`settings.early_stop`). About 500 epochs are logged. A run to go on
    with that is not there is an error, or with `begin_missing` begun: one of several, of which an
    earlier one was interrupted.

    Raises `InputError` for settings that cannot be followed and a disk that takes no more,
    `NotFiniteError` when a loss is not finite, and `Interrupted` after Ctrl-C or SIGTERM, when the
    state is saved.
    """
    device = resolve_device(settings.device)
    compute_alike(settings.deterministic)
    torch.set_num_threads(settings.threads)
    with ExitStack() as stack:
        if settings.dry_run:
            nowhere = Path(stack.enter_context(TemporaryDirectory()))
            task, settings = one_step(task, replace(settings, logdir=nowhere))
        processes = stack.enter_context(joined(device))
        task = replace(task, network=task.network.to(device, settings.torch_dtype))
        parts = task.parts(device, settings.torch_dtype)
        progress = Progress(task, settings, processes)
        folder = recorder = checkpoints = None
        if processes.is_first:
            folder, settings = opened(task, settings, begin_missing)
            folder.record |= {"device": str(device), "epochs": settings.epochs}
            folder.record["steps"] = settings.steps
            stack.enter_context(kept_status(folder))
            checkpoints = Checkpoints(folder.path)
        settings = processes.from_first(settings)
        if settings.resume:
            state = checkpoints.load() if checkpoints else None
            progress.load_state_dict(processes.from_first(state))
        request = stack.enter_context(StopRequest())
        if folder:
            after = progress.logged
            if settings.resume and progress.reached:  # nothing is left to do, nor to log again
                after = progress.epoch + progress.in_part
            logbook = Logbook(
                folder.path,
                [each.name for each in progress.contenders],
                CHARTS,
                {"task": task.name, "parameters": size_of(task.network), **settings.curve()},
                after,
            )
            epochs = settings.epochs_over(len(task.examples))
            display = Display(epochs, shown=not settings.quiet)
            stack.enter_context(logbook)
            stack.enter_context(display)
            recorder = Recorder(parts, task.scores, settings, logbook, display, epochs)
        loop = Loop(parts["train"], settings, progress, processes, request, recorder, checkpoints)
        begun_at, ended_by = progress.step, loop.run(threshold)
        if folder and recorder:
            folder.record["live_check"] = progress.check.verdicts
            for each in progress.contenders:
                if settings.crosscheck and each.name == Gradients.HANDWRITTEN:
                    report = crosscheck_thoroughly(task, each, parts["train"], logbook)
                    folder.record["crosscheck"] = report.verdict
            if progress.step > begun_at and not settings.dry_run:
                first, end = progress.contenders[0], progress.epoch + progress.in_part
                explain_trained(task, first, logbook, end, recorder.norms)
            if not settings.dry_run:
                print(f"The run is in {folder.path}")
        return Outcome(
            folder.path if folder and not settings.dry_run else None,
            progress.epoch,
            progress.step,
            ended_by,
            processes.from_first(recorder.scalars if recorder else {}),
            {each.name: each.model for each in progress.contenders},
        )


def size_of(network: Module) -> int:
    """Networks of different sizes are no group in TensorBoard."""
    return sum(parameter.numel() for parameter in network.parameters())


def one_step(task: Task, settings: Settings) -> tuple[Task, Settings]:
    size = min(settings.batch_size or len(task.examples), len(task.examples))
    task = replace(task, examples=task.examples[torch.arange(size)])
    return task, replace(settings, epochs=1, steps=None, resume=None)


def opened(task: Task, settings: Settings, begin_missing: bool) -> tuple[RunFolder, Settings]:
    """The folder of the run, and the settings: without `resume` where it is begun after all."""
    if settings.resume:
        try:
            curve = settings.curve()
            return RunFolder.reopen(settings.logdir, task.name, settings.resume, curve), settings
        except NoRunError:
            if not begin_missing:
                raise
        name = None if settings.resume == "latest" else Path(settings.resume).name
        settings = replace(settings, resume=None, run_name=name)
    name = settings.run_name or dated(settings.short, settings.seed)
    return RunFolder.create(settings.logdir, task.name, name, settings.curve()), settings


@contextmanager
def recorded_run(settings: Settings, experiment: str, config: str) -> Iterator[Path]:
    """The folder of a run that does its own work; its record says how it ended."""
    compute_alike(settings.deterministic)
    torch.set_num_threads(settings.threads)
    with ExitStack() as stack:
        logdir = settings.logdir
        if settings.dry_run:
            logdir = Path(stack.enter_context(TemporaryDirectory()))
        name = settings.run_name or dated(config, settings.seed)
        folder = RunFolder.create(logdir, experiment, name, settings.curve())
        with kept_status(folder):
            yield folder.path
        if not settings.dry_run:
            print(f"The run is in {folder.path}")


@contextmanager
def kept_status(folder: RunFolder) -> Iterator[None]:
    """The record of the run says how it ended, and the message how to go on."""
    try:
        folder.mark("running")
        yield
    except Interrupted as interrupted:
        folder.mark("interrupted")
        interrupted.args = (f"{interrupted} Go on with --resume {folder.path.name}",)
        raise
    except OSError as error:
        folder.mark_failed()
        raise InputError(
            "A run needs room for what it logs and saves",
            f"{error.filename or folder.path}: {error.strerror or error}",
            f"Make room, and go on with --resume {folder.path.name}: "
            "the checkpoint from before is whole."
            if any(folder.path.glob("checkpoints/*.pt"))
            else "Make room, and start again.",
        ) from error
    except BaseException:
        folder.mark_failed()
        raise
    folder.mark("finished")
