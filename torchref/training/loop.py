"""The loop itself: epochs of steps, with a look at what was logged and asked for in between."""

import time

from torch import Tensor

from torchref.training.checkpoint import Checkpoints
from torchref.training.device import synchronize
from torchref.training.distribution import Processes
from torchref.training.progress import Progress
from torchref.training.recorder import Recorder
from torchref.training.settings import Gradients, Settings
from torchref.training.stopping import Interrupted, StopRequest, require_finite
from torchref.training.task import Examples

ENDS = ("", "epochs", "patience", "threshold")


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
        """What ended it: "epochs", "patience" or "threshold"."""
        progress = self.progress
        if not self.settings.resume:
            self.record()
            self.save()
        while not (end := self.end(threshold)):
            self.stop_if_asked()
            if progress.order.exhausted:
                progress.order.begin()
            while not progress.order.exhausted:
                self.stop_if_asked()
                self.step(progress.order.take())
            progress.epoch += 1
            if self.recorder and self.recorder.is_due(progress.epoch):
                self.record()
            if progress.epoch % self.settings.save_every == 0:
                self.save()
        if self.recorder and not self.recorder.is_due(progress.epoch):
            self.record()
        self.save()
        return end

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
        if recorder and progress.order.exhausted and recorder.is_due(progress.epoch + 1):
            for each in progress.contenders:
                recorder.remember(each)
        start = time.perf_counter()
        for each in progress.contenders:
            each.optimizer.step()
        synchronize(self.device)
        progress.step += 1
        if recorder:
            recorder.note_time(seconds + time.perf_counter() - start, len(rows))

    def record(self) -> None:
        if self.recorder:
            self.recorder.record(self.progress.epoch, self.progress.contenders, self.progress.check)
            self.progress.patience.look(self.recorder.watched)

    def save(self) -> None:
        if self.recorder and self.checkpoints:
            best = self.recorder.watched < self.progress.least_saved
            self.progress.least_saved = min(self.recorder.watched, self.progress.least_saved)
            self.checkpoints.save(self.progress.state_dict(), best=best)

    def end(self, threshold: float) -> str:
        """The first process decides for all."""
        progress, end = self.progress, ""
        if self.recorder:
            if progress.epoch >= self.settings.epochs:
                end = "epochs"
            if progress.patience.over:
                end = "patience"
            if threshold and self.recorder.largest_loss(progress.contenders) < threshold:
                end = "threshold"
        return ENDS[self.processes.largest(ENDS.index(end))]

    def stop_if_asked(self) -> None:
        number = self.processes.largest(self.request.number)
        if number:
            self.save()
            where = f"epoch {self.progress.epoch}, step {self.progress.step}"
            raise Interrupted(number, f"Stopped as asked at {where}; all is saved.")
