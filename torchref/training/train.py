"""A training from its settings: device, processes, run folder, and how each of its ends is kept."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch.nn import Module

from torchref.training.loop.first_process import Keeper
from torchref.training.loop.loop import Loop
from torchref.training.loop.progress import Progress
from torchref.training.model.task import Task
from torchref.training.process.device import compute_alike, resolve_device
from torchref.training.process.distribution import joined
from torchref.training.process.stopping import StopRequest
from torchref.training.run_folder.checkpoint import Checkpoints
from torchref.training.run_folder.kept_run import kept_status, lasting, opened
from torchref.training.settings import Settings


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
    compute_alike(settings.deterministic, settings.threads)
    with ExitStack() as stack:
        if settings.dry_run:
            task, settings = one_step(task, settings)
        processes = stack.enter_context(joined(device))
        task = replace(task, network=task.network.to(device, settings.torch_dtype))
        parts = task.parts(device, settings.torch_dtype)
        progress = Progress(task, settings, processes)
        folder = None
        if processes.is_first:
            settings = stack.enter_context(lasting(settings))
            folder, settings = opened(task.name, settings, begin_missing)
        settings = processes.from_first(settings)
        if settings.resume:
            state = Checkpoints(folder.path).load() if folder else None
            progress.load_state_dict(processes.from_first(state))
        begun_at = progress.step
        request = stack.enter_context(StopRequest())
        keeper = None
        if folder:
            folder.record["device"] = str(device)
            folder.record |= {"epochs": settings.epochs, "steps": settings.steps}
            stack.enter_context(kept_status(folder, told=not settings.dry_run))
            keeper = stack.enter_context(Keeper(folder, task, parts, settings, progress))
        loop = Loop(parts["train"], settings, progress, processes, request, keeper)
        ended_by = loop.run(threshold)
        if keeper:
            keeper.conclude(trained=progress.step > begun_at)
        return Outcome(
            folder.path if folder and not settings.dry_run else None,
            progress.epoch,
            progress.step,
            ended_by,
            processes.from_first(keeper.recorder.scalars if keeper else {}),
            {each.name: each.model for each in progress.contenders},
        )


def one_step(task: Task, settings: Settings) -> tuple[Task, Settings]:
    size = min(settings.batch_size or len(task.examples), len(task.examples))
    task = replace(task, examples=task.examples[torch.arange(size)])
    return task, replace(settings, epochs=1, steps=None, resume=None)
