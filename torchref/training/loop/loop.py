"""The loop itself: epochs of steps, with a look at what was logged and asked for in between."""

import time
from dataclasses import dataclass

import torch

from torchref.training.loop.first_process import Keeper
from torchref.training.loop.progress import Progress
from torchref.training.model.examples import Examples
from torchref.training.process.device import alike, synchronize
from torchref.training.process.distribution import Processes
from torchref.training.process.stopping import Interrupted, StopRequest, require_finite
from torchref.training.settings import Settings

ENDS = ("", "epochs", "steps", "patience", "threshold", "callback")


@dataclass
class Loop:
    """Takes `progress` from where it is to its end. Only the first process has a keeper."""

    device: torch.device
    settings: Settings
    progress: Progress
    processes: Processes
    request: StopRequest
    keeper: Keeper | None

    def run(self, threshold: float) -> str:
        """What ended it: "epochs", "steps", "patience", "threshold" or "callback"."""
        begun_at = self.progress.step
        if self.keeper and not self.settings.resume:
            self.keeper.begin()
        while not (end := self.end(threshold)):
            self.stop_if_asked()
            self.epoch()
        if self.keeper:
            self.keeper.end(trained=self.progress.step > begun_at)
        return end

    def epoch(self) -> None:
        """A pass over the examples, or what is left of it, up to the last step that is wanted."""
        progress = self.progress
        if not progress.in_part:
            progress.batches.begin()
        while progress.in_part and progress.reached != "steps":
            self.stop_if_asked()
            self.step(progress.take())
        if not progress.in_part:
            progress.epoch += 1
            if self.keeper:
                self.keeper.end_epoch()

    def step(self, batches: list[Examples]) -> None:
        start = time.perf_counter()
        for each in alike(self.progress.contenders, self.device):
            for loss, batch in zip(each.backpropagate(batches), batches, strict=True):
                require_finite(loss, self.progress.step, each.model, batch.x)
        seconds = self.seconds_since(start)
        if self.keeper:
            self.keeper.look_at_gradients(batches)
        start = time.perf_counter()
        for each in self.progress.contenders:
            each.step()
        seconds += self.seconds_since(start)
        self.progress.step += 1
        if self.keeper:
            self.keeper.recorder.note_time(seconds, sum(map(len, batches)))

    def seconds_since(self, start: float) -> float:
        """Until the work on the device is done."""
        synchronize(self.device)
        return time.perf_counter() - start

    def end(self, threshold: float) -> str:
        """The first process decides for all."""
        end = ""
        if self.keeper:
            end = self.progress.reached
            largest_loss = self.keeper.recorder.largest_loss
            if threshold and largest_loss(self.progress.contenders) < threshold:
                end = "threshold"
            end = end or ("callback" if self.keeper.stopped else "")
        return ENDS[self.processes.largest(ENDS.index(end))]

    def stop_if_asked(self) -> None:
        number = self.processes.largest(self.request.number)
        if number:
            if self.keeper:
                self.keeper.save()
            where = f"epoch {self.progress.epoch}, step {self.progress.step}"
            raise Interrupted(number, f"Stopped as asked at {where}; all is saved.")
