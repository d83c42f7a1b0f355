"""A training from its settings: device, processes, run folder, and how each of its ends is kept."""

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path

from torch.nn import Module

from torchref.errors import InputError
from torchref.training.log.log_point import Callback
from torchref.training.loop.batches import batches_of
from torchref.training.loop.first_process import Keeper
from torchref.training.loop.loop import Loop
from torchref.training.loop.nothing_left import end_behind, told
from torchref.training.loop.progress import Progress
from torchref.training.model.examples import Examples, Loaded
from torchref.training.model.optimisation import Optimisation, OwnOptimizer, OwnSchedule
from torchref.training.model.task import Task
from torchref.training.process.device import compute_alike, resolve_device
from torchref.training.process.distribution import Processes, joined
from torchref.training.process.stopping import StopRequest
from torchref.training.run_folder.checkpoint import Checkpoints
from torchref.training.run_folder.kept_run import kept_status, lasting, opened
from torchref.training.run_folder.run_folder import RunFolder
from torchref.training.settings import Settings


@dataclass(frozen=True)
class Outcome:
    """How a training ended: where, after how many whole epochs and how many steps, by what.

    `ended_by` is "epochs", "steps", "threshold", "patience" or "callback". `scalars` holds for each
    contender the last value of every tag, and `models` the trained models. `not_learnt` says of
    those that have not learnt what is likely to be the cause. Under torchrun the folder is the
    first process' alone, and a dry run has none.
    """

    folder: Path | None
    epochs: int
    steps: int
    ended_by: str
    scalars: Mapping[str, Mapping[str, float]]
    models: Mapping[str, Module]
    not_learnt: Mapping[str, str] = field(default_factory=dict)

    @property
    def model(self) -> Module:
        """The trained model of the first contender."""
        return next(iter(self.models.values()))


def train(
    task: Task,
    settings: Settings,
    *,
    optimizer: OwnOptimizer | None = None,
    schedule: OwnSchedule | None = None,
    callbacks: Callback | Sequence[Callback] = (),
    threshold: float = 0.0,
    begin_missing: bool = False,
) -> Outcome:
    """Trains the task's network with each kind of `settings.gradients`, all in step, and logs it.

    All contenders start from the network's weights and see the same batches. Epoch n is the state
    after n epochs, so that epoch 0 is the common start. The training ends after `settings.epochs`
    or `settings.steps`, when the losses of all are below `threshold`, or when the held-out loss of
    the first improves no more (`settings.early_stop`). About 500 epochs are logged.

    optimizer      makes an optimiser of the model that it is handed, instead of the settings
    schedule       makes a schedule of the optimiser that it is handed; it goes on at every step
    callbacks      one or several, each called at every log point with a `LogPoint`, in the first
                   process; each may return scalars to be logged
    begin_missing  a run to go on with that is not there is no error but begun: one of several, of
                   which an earlier one was interrupted

    Raises `InputError` for settings that cannot be followed and a disk that takes no more,
    `NotFiniteError` when a loss is not finite, and `Interrupted` after Ctrl-C or SIGTERM, when the
    state is saved.

    >>> from tempfile import mkdtemp
    >>> from torchref.training import Settings, Task
    >>> x = torch.linspace(-1, 1, 20)[:, None]
    >>> task = Task("line", torch.nn.Linear(1, 1), torch.nn.MSELoss(), (x, 3 * x + 1))
    >>> settings = Settings(epochs=50, lr=0.5, logdir=mkdtemp(), run_name="first", quiet=True)
    >>> outcome = train(task, settings)  # doctest: +ELLIPSIS
    Live checks of the handwritten gradients: 1 right...
    The run is in ...first
    >>> round(outcome.model.weight.item(), 2)
    3.0
    """
    if not isinstance(task, Task) or not isinstance(settings, Settings):
        raise InputError(
            "train must be given a Task and Settings",
            f"a {type(task).__name__} and a {type(settings).__name__} arrived",
            "Call train(Task(name, network, loss, examples), Settings(epochs=20)).",
        )
    device = resolve_device(settings.device)
    compute_alike(settings.deterministic, settings.threads)
    with ExitStack() as stack:
        if settings.dry_run:
            task, settings = one_step(task, settings)
        processes = stack.enter_context(joined(device))
        task = replace(task, network=task.network.to(device, settings.torch_dtype))
        parts = task.parts(device, settings.torch_dtype, settings.seed)
        own = Optimisation(settings, 1, optimizer, schedule).told(task.network)
        start = partial(started, task, parts, processes, optimizer, schedule)
        progress = start(settings)  # at first: what is refused here makes no folder
        folder, ended_by = None, ""
        if processes.is_first:
            settings = stack.enter_context(lasting(settings))
            opening = opened(task.name, settings, begin_missing, own)
            folder, settings = stack.enter_context(opening)
        settings = processes.from_first(settings)
        progress = start(settings) if settings.own_end else progress
        progress.settings = settings
        if settings.resume:
            state = Checkpoints(folder.path).load() if folder else None
            progress.load_state_dict(processes.from_first(state))
            behind = end_behind(progress, threshold, task, parts) if folder else None
            ended_by, scalars = processes.from_first(behind)
            if folder and ended_by:
                print(told(ended_by, progress, folder.path), flush=True)
            elif folder:
                folder.go_on()
            if ended_by and not settings.crosscheck:
                return outcome(folder, progress, ended_by, scalars, {})
        begun_at = progress.step
        request = stack.enter_context(StopRequest())
        keeper = None
        if folder:
            if not ended_by:
                folder.record["device"] = str(device)
                folder.record |= {"epochs": settings.epochs, "steps": settings.steps}
            stack.enter_context(kept_status(folder, told=not settings.dry_run))
            curve = settings.curve() | own
            called = [callbacks] if callable(callbacks) else callbacks
            keeper = Keeper(folder, task, parts, settings, progress, curve, called)
            stack.enter_context(keeper)
        loop = Loop(device, settings, progress, processes, request, keeper)
        ended_by = loop.run(threshold)
        if keeper:
            keeper.conclude(trained=progress.step > begun_at)
        scalars = processes.from_first(keeper.recorder.scalars if keeper else {})
        not_learnt = processes.from_first(keeper.not_learnt if keeper else {})
        kept = None if settings.dry_run else folder
        return outcome(kept, progress, ended_by, scalars, not_learnt)


def started(
    task: Task,
    parts: Mapping[str, Examples | Loaded],
    processes: Processes,
    optimizer: OwnOptimizer | None,
    schedule: OwnSchedule | None,
    settings: Settings,
) -> Progress:
    """At the start of a run, whose number of steps a schedule of the settings has to know."""
    batches = batches_of(parts["train"], settings, task.epoch)
    steps = settings.steps_over(math.ceil(len(batches) / settings.accumulate))
    return Progress(task, Optimisation(settings, steps, optimizer, schedule), batches, processes)


def outcome(
    folder: RunFolder | None,
    progress: Progress,
    ended_by: str,
    scalars: Mapping[str, Mapping[str, float]],
    not_learnt: Mapping[str, str],
) -> Outcome:
    models = {each.name: each.model for each in progress.contenders}
    path = folder.path if folder else None
    return Outcome(path, progress.epoch, progress.step, ended_by, scalars, models, not_learnt)


def one_step(task: Task, settings: Settings) -> tuple[Task, Settings]:
    """What is left of a task and its settings where one step is to be tried."""
    examples = task.examples
    if isinstance(examples, Examples):
        rows = (settings.batch_size or len(examples)) * settings.accumulate
        task = replace(task, examples=examples.first(rows))
    else:
        task = replace(task, examples=list(islice(examples, settings.accumulate)))
    return task, replace(settings, epochs=1, steps=None, resume=None)
