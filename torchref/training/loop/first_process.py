"""What the first process alone does in a run: it measures, saves, shows, and has the last word."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Self

from torchref.errors import InputError
from torchref.training.log.display import Display
from torchref.training.log.log_point import Callback
from torchref.training.log.logbook import Logbook
from torchref.training.log.recorder import CHARTS, Recorder
from torchref.training.loop.after_training import crosscheck_thoroughly, explain_trained
from torchref.training.loop.learning import not_learnt
from torchref.training.loop.progress import Progress
from torchref.training.model.examples import Examples, Loaded, Measured
from torchref.training.model.task import Task
from torchref.training.run_folder.checkpoint import Checkpoints, State, read
from torchref.training.run_folder.run_folder import RunFolder
from torchref.training.settings import Gradients, Settings

TRIED = 2  # checkpoints are read again: that of the start, and the first of an optimiser in use


class Keeper(ExitStack):
    """Keeps what becomes of `progress` in the folder of the run, and shows it."""

    def __init__(
        self,
        folder: RunFolder,
        task: Task,
        parts: Mapping[str, Examples | Loaded],
        settings: Settings,
        progress: Progress,
        curve: Mapping[str, Any],
        callbacks: Sequence[Callback] = (),
    ) -> None:
        super().__init__()
        self.folder, self.task, self.settings, self.progress = folder, task, settings, progress
        measured = {name: Measured(part, task.measured) for name, part in parts.items()}
        self.examples = measured["train"]
        self.not_learnt: dict[str, str] = {}
        self.tried = 0
        epochs = settings.epochs_over(progress.steps_in_epoch)
        # Networks of different sizes are no group in TensorBoard.
        parameters = sum(parameter.numel() for parameter in task.network.parameters())
        self.checkpoints = Checkpoints(folder.path)
        self.logbook = Logbook(
            folder.path,
            [each.name for each in progress.contenders],
            CHARTS,
            {"task": task.name, "parameters": parameters, **curve},
            last_logged(progress, settings),
        )
        self.display = Display(epochs, shown=not settings.quiet)
        self.recorder = Recorder(
            measured, task, settings, self.logbook, self.display, epochs, callbacks
        )

    def __enter__(self) -> Self:
        self.enter_context(self.logbook)
        if self.display.bar:
            self.enter_context(self.display.bar)
        return self

    def look_at_gradients(self, batches: Sequence[Examples]) -> None:
        """Within a step, when the gradients for these are there and the weights as before."""
        every, progress = self.settings.check_every, self.progress
        if every and progress.step % every == 0:
            for each in progress.contenders:
                if each.name != Gradients.TORCH:
                    progress.check.look(each, batches, progress.step)
        if self.is_before_a_log_point():
            for each in progress.contenders:
                self.recorder.remember(each)

    def is_before_a_log_point(self) -> bool:
        """Whether the step in hand is the last one before something is recorded."""
        progress, epoch = self.progress, self.progress.epoch + 1
        if not progress.batches.exhausted:
            return progress.step + 1 == self.settings.steps
        return epoch == self.settings.epochs or self.recorder.is_due(epoch)

    def begin(self) -> None:
        """Of a run that is not gone on with: where all contenders start."""
        self.record(self.progress.epoch)
        self.save()

    def end_epoch(self) -> None:
        epoch = self.progress.epoch
        if self.recorder.is_due(epoch):
            self.record(epoch)
        if epoch % self.settings.save_every == 0:
            self.save()

    def end(self, *, trained: bool) -> None:
        """Records an end that is no log point; a run that goes on knows nothing of that."""
        progress, state = self.progress, self.progress.state_dict()
        if progress.reached and not trained:  # gone on with, and nothing was left to do
            self.recorder.look(progress.contenders)
            return
        if progress.in_part or not self.recorder.is_due(progress.epoch):
            self.record(progress.epoch + progress.in_part)
        self.save(state)

    def record(self, epoch: int) -> None:
        progress = self.progress
        self.recorder.record(epoch, progress.step, progress.contenders, progress.check)
        for name, course in progress.courses.items():
            course.look(self.recorder.scalars[name])
        progress.patience.look(self.recorder.watched)
        progress.logged = epoch

    def save(self, state: State | None = None) -> None:
        """Saves `state`, or without one the present state."""
        progress, watched = self.progress, self.recorder.watched
        best = watched < progress.least_saved
        progress.least_saved = min(watched, progress.least_saved)
        least = {"least_saved": progress.least_saved}
        self.checkpoints.save((state or progress.state_dict()) | least, best=best)
        if self.tried < TRIED:
            self.tried += 1
            self.require_readable()

    def require_readable(self) -> None:
        """Raises `InputError` for a checkpoint that no run could go on from, before one has to."""
        try:
            read(self.checkpoints.last)
        except InputError as error:
            raise InputError(
                "The states of model, optimiser and schedule must be tensors and plain types",
                f"they cannot be read again: {error.args[1]}",
                "Keep other objects out of what state_dict() returns.",
            ) from error

    def conclude(self, *, trained: bool) -> None:
        """The verdicts on gradients and learning, and the explanation of the network."""
        progress, settings = self.progress, self.settings
        if trained:  # else those of the way here stay
            self.folder.record["live_check"] = progress.check.verdicts
            for name, looks in progress.check.looks.items():
                print(f"Live checks of the {name} gradients: {looks}", flush=True)
        for each in progress.contenders:
            if settings.crosscheck and each.name == Gradients.HANDWRITTEN:
                sample = self.examples.sample
                report = crosscheck_thoroughly(self.task, each, sample, self.logbook)
                self.folder.record["crosscheck"] = report.verdict
        self.tell_of_learning()
        if trained and not settings.dry_run:
            first, end = progress.contenders[0], progress.epoch + progress.in_part
            sample = self.examples.sample.first(1)
            norms = self.recorder.norms
            explain_trained(self.task, first, sample, self.logbook, end, norms)

    def tell_of_learning(self) -> None:
        """Whether a model has not learnt, on the terminal, in TensorBoard and in the record."""
        progress, verdicts = self.progress, self.progress.check.verdicts
        for each in progress.contenders:
            course, verdict = progress.courses[each.name], verdicts.get(each.name)
            told = not_learnt(course, each, self.task.network, progress.step, verdict)
            if told:
                self.not_learnt[each.name] = told
                end = progress.epoch + progress.in_part
                self.logbook.log_text(end, each.name, "learning", told)
                print(told, flush=True)
        if self.not_learnt:
            self.folder.record["not_learnt"] = self.not_learnt

    @property
    def stopped(self) -> bool:
        """Whether a callback has asked for the end."""
        return self.recorder.stopped


def last_logged(progress: Progress, settings: Settings) -> int:
    """The log point after which a run goes on, or −1 at its start."""
    if settings.resume and progress.reached:  # nothing is left to do, nor to log again
        return progress.epoch + progress.in_part
    return progress.logged
