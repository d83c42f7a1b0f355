"""The loop itself: epochs of steps, with a look at what was logged and asked for in between."""

import time

from torch import Tensor

from torchref.training.checkpoint import Checkpoints, State
from torchref.training.device import synchronize
from torchref.training.distribution import Processes
from torchref.training.progress import Progress
from torchref.training.recorder import Recorder
from torchref.training.settings import Gradients, Settings
from torchref.training.stopping import Interrupted, StopRequest, require_finite
from torchref.training.task import Examples

ENDS = ("", "epochs", "steps", "patience", "threshold")


class Loop:
    """Takes `progress` from where it is to its end. Only the first process records and saves."""

    def __init__(
        self,
        examples: Examples,
        settings: Settings,
        progress: Progress,
        processes: Processes,
        request: StopRequest,
        recorder: Recorder | None,
        checkpoints: Checkpoints | None,
    ) -> None:
        self.examples, self.settings, self.progress = examples, settings, progress
        self.processes, self.request = processes, request
        self.recorder, self.checkpoints = recorder, checkpoints
        self.device = examples.x.device

    def run(self, threshold: float) -> str:
        """What ended it: "epochs", "steps", "patience" or "threshold"."""
        progress = self.progress
        begun_at = progress.step
        if not self.settings.resume:
            self.record(progress.epoch)
            self.save()
        while not (end := self.end(threshold)):
            self.stop_if_asked()
            if not progress.in_part:
                progress.order.begin()
            while progress.in_part and progress.reached != "steps":
                self.stop_if_asked()
                self.step(progress.order.take())
            if not progress.in_part:
                progress.epoch += 1
                if self.recorder and self.recorder.is_due(progress.epoch):
                    self.record(progress.epoch)
                if progress.epoch % self.settings.save_every == 0:
                    self.save()
        self.close(trained=progress.step > begun_at)
        return end

    def close(self, *, trained: bool) -> None:
        """Records an end that is no log point; a run that goes on knows nothing of that."""
        if not self.recorder:
            return
        progress, state = self.progress, self.progress.state_dict()
        if progress.reached and not trained:  # gone on with, and nothing was left to do
            self.recorder.look(progress.contenders)
            return
        if progress.in_part or not self.recorder.is_due(progress.epoch):
            self.record(progress.epoch + progress.in_part)
        self.save(state)

    def step(self, rows: Tensor) -> None:
        progress, recorder = self.progress, self.recorder
        every = self.settings.check_every
        mine = self.examples[self.processes.share(rows).to(self.device)]
        start = time.perf_counter()
        for each in progress.contenders:
            loss = each.backpropagate(mine, len(rows))
            require_finite(loss, progress.step, each.model, mine.x)
        synchronize(self.device)
        seconds = time.perf_counter() - start
        if recorder and every and progress.step % every == 0:
            for each in progress.contenders:
                if each.name != Gradients.TORCH:
                    progress.check.look(each, self.examples[rows.to(self.device)])
        if recorder and self.is_before_a_log_point(recorder):
            for each in progress.contenders:
                recorder.remember(each)
        start = time.perf_counter()
        for each in progress.contenders:
            each.optimizer.step()
        synchronize(self.device)
        progress.step += 1
        if recorder:
            recorder.note_time(seconds + time.perf_counter() - start, len(rows))

    def is_before_a_log_point(self, recorder: Recorder) -> bool:
        """Whether the step in hand is the last one before something is recorded."""
        progress, epoch = self.progress, self.progress.epoch + 1
        if not progress.order.exhausted:
            return progress.step + 1 == self.settings.steps
        return epoch == self.settings.epochs or recorder.is_due(epoch)

    def record(self, epoch: int) -> None:
        if self.recorder:
            self.recorder.record(epoch, self.progress.contenders, self.progress.check)
            self.progress.patience.look(self.recorder.watched)
            self.progress.logged = epoch

    def save(self, state: State | None = None) -> None:
        """Saves `state`, or without one the present state."""
        progress = self.progress
        if self.recorder and self.checkpoints:
            best = self.recorder.watched < progress.least_saved
            progress.least_saved = min(self.recorder.watched, progress.least_saved)
            least = {"least_saved": progress.least_saved}
            self.checkpoints.save((state or progress.state_dict()) | least, best=best)

    def end(self, threshold: float) -> str:
        """The first process decides for all."""
        progress, end = self.progress, ""
        if self.recorder:
            end = progress.reached
            if threshold and self.recorder.largest_loss(progress.contenders) < threshold:
                end = "threshold"
        return ENDS[self.processes.largest(ENDS.index(end))]

    def stop_if_asked(self) -> None:
        number = self.processes.largest(self.request.number)
        if number:
            self.save()
            where = f"epoch {self.progress.epoch}, step {self.progress.step}"
            raise Interrupted(number, f"Stopped as asked at {where}; all is saved.")
