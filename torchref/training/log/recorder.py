"""What is logged of the contenders at a log point."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from torchref.checker import Report
from torchref.training.checks.live_check import LOG_DIFFERENCE, LiveCheck, random_numbers_kept
from torchref.training.log.display import Display
from torchref.training.log.log_point import Callback, LogPoint
from torchref.training.log.logbook import Logbook
from torchref.training.log.step_scalars import gradient_norms, update_ratios
from torchref.training.model.examples import Measured
from torchref.training.model.model_in_training import Contender, evaluating
from torchref.training.model.task import Task
from torchref.training.settings import Settings

LOG_POINTS, HISTOGRAMS = 500, 10
LOSS, NORM = "loss/train", "gradient_norm/"
CHARTS = {
    "loss": "loss/",
    "difference of the gradients, log₁₀": LOG_DIFFERENCE,
    "gradient norms by layer": NORM,
    "update to weight ratios": "update_ratio/",
}


class Recorder:
    """Measures, logs and shows: every so many epochs of a run, and histograms at ten log points."""

    def __init__(
        self,
        parts: Mapping[str, Measured],
        task: Task,
        settings: Settings,
        logbook: Logbook,
        display: Display,
        epochs: int,
        callbacks: Sequence[Callback],
    ) -> None:
        self.parts, self.callbacks = parts, callbacks
        self.scores, self.shown = task.scores, task.shown
        self.logbook, self.display = logbook, display
        self.device = parts["train"].device
        self.every = settings.log_every or max(1, epochs // LOG_POINTS)
        self.save_every = settings.save_every
        self.histograms_every = self.every * max(1, epochs // (HISTOGRAMS * self.every))
        self.before: dict[str, dict[str, Tensor]] = {}
        self.unclipped: dict[str, dict[str, Tensor]] = {}
        self.stopped = False  # by a callback
        self.scalars: dict[str, dict[str, float]] = {}  # of each contender, measured last
        self.seconds, self.steps, self.examples = 0.0, 0, 0
        self.norms: dict[str, dict[str, float]] = {}  # of the first contender, first and last

    def is_due(self, epoch: int) -> bool:
        """Checkpoints are recorded too: the losses logged tell which is the best."""
        return any(epoch % n == 0 for n in (self.every, self.histograms_every, self.save_every))

    @property
    def watched(self) -> float:
        """What tells the best: the held-out loss of the first contender, or that of training."""
        values = next(iter(self.scalars.values()), {})
        return values.get("loss/held_out", values.get(LOSS, math.inf))

    def largest_loss(self, contenders: list[Contender]) -> float:
        """Of the present state, on the examples that are trained on."""
        part = {"train": self.parts["train"]}
        return max(each.measure(part, {})[LOSS] for each in contenders)

    def remember(self, contender: Contender) -> None:
        """Weights and gradients before the last step of an epoch that is to be recorded."""
        self.before[contender.name] = {n: p.clone() for n, p in contender.parameters().items()}
        if contender.clip_norm is not None:
            gradients = contender.gradients()
            self.unclipped[contender.name] = {n: g.clone() for n, g in gradients.items()}

    def note_time(self, seconds: float, examples: int) -> None:
        self.seconds, self.steps = self.seconds + seconds, self.steps + 1
        self.examples += examples

    def record(self, epoch: int, step: int, contenders: list[Contender], check: LiveCheck) -> None:
        pace = self.pace(len(contenders))
        for each in contenders:
            gradients = self.unclipped.pop(each.name, None) or each.gradients()
            values = each.measure(self.parts, self.scores) | check.report(each) | pace
            values |= gradient_norms(gradients)
            values |= update_ratios(self.before.pop(each.name, {}), each.parameters())
            values |= each.take_course()
            values |= self.called_back(epoch, step, each, values)
            self.logbook.log(epoch, each.name, values)
            self.tell(epoch, each.name, check.take_news(each))
            if epoch % self.histograms_every == 0:
                drawn = {f"weight/{name}": p for name, p in each.parameters().items()}
                drawn |= {f"gradient/{name}": g for name, g in gradients.items()}
                self.logbook.log_histograms(epoch, each.name, drawn)
                self.show(epoch, each)
            self.scalars[each.name] = self.scalars.get(each.name, {}) | values
        self.keep_norms(epoch, contenders[0])
        self.logbook.flush()
        self.display.show(epoch, self.scalars)

    def called_back(
        self, epoch: int, step: int, contender: Contender, values: Mapping[str, float]
    ) -> dict[str, float]:
        """What the callbacks want to be logged. They change no random number and no mode."""
        found: dict[str, float] = {}
        for callback in self.callbacks:
            point = LogPoint(epoch, step, contender.name, contender.model, values)
            with torch.no_grad(), self.left_alone(contender):
                found |= point.scalars_of(callback)
            self.stopped |= point.is_last
        return found

    @contextmanager
    def left_alone(self, contender: Contender) -> Iterator[None]:
        """The model in evaluation, and the random numbers of the training as they are after it."""
        with evaluating(contender.model), random_numbers_kept(self.device):
            yield

    def show(self, epoch: int, contender: Contender) -> None:
        for tag, show in self.shown.items():
            with torch.no_grad(), self.left_alone(contender):
                shown = show(contender.model)
            if isinstance(shown, str):
                self.logbook.log_text(epoch, contender.name, tag, shown)
            else:
                self.logbook.log_image(epoch, contender.name, tag, shown)

    def keep_norms(self, epoch: int, contender: Contender) -> None:
        """Of the weights' gradients, at the first log point that has some and at the last."""
        scalars = self.scalars[contender.name]
        norms = {
            name: scalars[f"{NORM}{name}"]
            for name, p in contender.parameters().items()
            if p.dim() == 2 and f"{NORM}{name}" in scalars
        }
        if norms:
            first = dict(list(self.norms.items())[:1])
            self.norms = first | {f"epoch {epoch}": norms}

    def tell(self, epoch: int, run: str, report: Report | None) -> None:
        """What is new of the live gradients; what is not right is said on the terminal too."""
        if report is None:
            return
        self.logbook.log_text(epoch, run, "live_check", f"```\n{report}\n```")
        if report.verdict != "right":
            print(f"Live check of the {run} gradients by epoch {epoch}: {report}", flush=True)

    def look(self, contenders: list[Contender]) -> None:
        """Measures without a log point."""
        for each in contenders:
            self.scalars[each.name] = each.measure(self.parts, self.scores)

    def pace(self, contenders: int) -> dict[str, float]:
        """Of the steps since the last log point, those of all contenders taken together."""
        if not self.steps:
            return {}
        pace = {
            "time/step_ms": 1000 * self.seconds / self.steps,
            "time/examples_per_s": contenders * self.examples / self.seconds,
        }
        self.seconds, self.steps, self.examples = 0.0, 0, 0
        return pace
