"""What the first process alone does in a run: it measures, saves, shows, and has the last word."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Self

from torch import Tensor

from torchref.training.log.display import Display
from torchref.training.log.logbook import Logbook
from torchref.training.log.recorder import CHARTS, Recorder
from torchref.training.loop.after_training import crosscheck_thoroughly, explain_trained
from torchref.training.loop.progress import Progress
from torchref.training.model.task import Examples, Task
from torchref.training.run_folder.checkpoint import Checkpoints, State
from torchref.training.run_folder.run_folder import RunFolder
from torchref.training.settings import Gradients, Settings


class Keeper(ExitStack):
    """Keeps what becomes of `progress` in the folder of the run, and shows it."""

    def __init__(
        self,
        folder: RunFolder,
        task: Task,
        parts: Mapping[str, Examples],
        settings: Settings,
        progress: Progress,
    ) -> None:
        super().__init__()
        self.folder, self.task, self.settings, self.progress = folder, task, settings, progress
        self.examples = parts["train"]
        epochs = settings.epochs_over(len(self.examples))
        # Networks of different sizes are no group in TensorBoard.
        parameters = sum(parameter.numel() for parameter in task.network.parameters())
        self.checkpoints = Checkpoints(folder.path)
        self.logbook = Logbook(
            folder.path,
            [each.name for each in progress.contenders],
            CHARTS,
            {"task": task.name, "parameters": parameters, **settings.curve()},
            last_logged(progress, settings),
        )
        self.display = Display(epochs, shown=not settings.quiet)
        self.recorder = Recorder(parts, task.scores, settings, self.logbook, self.display, epochs)

    def __enter__(self) -> Self:
        self.enter_context(self.logbook)
        if self.display.bar:
            self.enter_context(self.display.bar)
        return self

    def look_at_gradients(self, rows: Tensor) -> None:
        """Within a step, when the gradients for these rows are there and the weights as before."""
        every, progress = self.settings.check_every, self.progress
        if every and progress.step % every == 0:
            batch = self.examples[rows.to(self.examples.x.device)]
            for each in progress.contenders:
                if each.name != Gradients.TORCH:
                    progress.check.look(each, batch)
        if self.is_before_a_log_point():
            for each in progress.contenders:
                self.recorder.remember(each)

    def is_before_a_log_point(self) -> bool:
        """Whether the step in hand is the last one before something is recorded."""
        progress, epoch = self.progress, self.progress.epoch + 1
        if not progress.order.exhausted:
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
        self.recorder.record(epoch, progress.contenders, progress.check)
        progress.patience.look(self.recorder.watched)
        progress.logged = epoch

    def save(self, state: State | None = None) -> None:
        """Saves `state`, or without one the present state."""
        progress, watched = self.progress, self.recorder.watched
        best = watched < progress.least_saved
        progress.least_saved = min(watched, progress.least_saved)
        least = {"least_saved": progress.least_saved}
        self.checkpoints.save((state or progress.state_dict()) | least, best=best)

    def conclude(self, *, trained: bool) -> None:
        """The verdicts on the gradients, and the explanation of the network."""
        progress, settings = self.progress, self.settings
        self.folder.record["live_check"] = progress.check.verdicts
        for each in progress.contenders:
            if settings.crosscheck and each.name == Gradients.HANDWRITTEN:
                report = crosscheck_thoroughly(self.task, each, self.examples, self.logbook)
                self.folder.record["crosscheck"] = report.verdict
        if trained and not settings.dry_run:
            first, end = progress.contenders[0], progress.epoch + progress.in_part
            explain_trained(self.task, first, self.logbook, end, self.recorder.norms)


def last_logged(progress: Progress, settings: Settings) -> int:
    """The log point after which a run goes on, or −1 at its start."""
    if settings.resume and progress.reached:  # nothing is left to do, nor to log again
        return progress.epoch + progress.in_part
    return progress.logged
