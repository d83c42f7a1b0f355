"""Handwritten gradients against torch's, on the live model and batch, while it trains.

Each check measures how far the gradients at hand lie from those of torch's own layers, and has the
cross-check judge the same model on the same batch: right, wrong or cannot tell.
"""

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from torchref.checker import Report
from torchref.training.checks.verdict import Judge
from torchref.training.model.model_in_training import Contender
from torchref.training.model.task import Examples, Task
from torchref.training.model.twin import torch_twin

DIFFERENCE = "gradients/relative_difference"
LOG_DIFFERENCE = "gradients/log10_relative_difference"
LEAST_LOG = -20.0  # stands for "equal bit for bit", whose logarithm is −∞
VERDICT = "gradients/verdict"
SCORES = {"right": 1.0, "cannot tell": 0.0, "wrong": -1.0}


class LiveCheck:
    """torch's own layers, given the weights of a contender whenever its gradients are checked."""

    def __init__(self, task: Task) -> None:
        self.task, self.twin, self.loss = task, torch_twin(task.network), task.torchs_loss()
        self.judges: dict[str, Judge] = {}
        self.largest: dict[str, float] = {}  # both since the last log point
        self.scores: dict[str, float] = {}
        self.reports: dict[str, Report] = {}  # the last that says something new
        self.news: set[str] = set()

    def look(self, contender: Contender, batch: Examples) -> None:
        """Compares the gradients that the contender has just found for the batch, and judges."""
        name = contender.name
        self.twin.load_state_dict(contender.model.state_dict())
        self.twin.zero_grad()
        self.loss(self.twin(batch.x), batch.target).backward()
        torchs = {name: p.grad for name, p in self.twin.named_parameters() if p.grad is not None}
        difference = relative_difference(contender.gradients(), torchs)
        self.largest[name] = max(difference, self.largest.get(name, 0.0))
        if name not in self.judges:
            self.judges[name] = Judge(contender, self.task)
        report = self.judges[name].live(batch)
        self.scores[name] = min(SCORES[report.verdict], self.scores.get(name, 1.0))
        if name not in self.reports or told_apart(report) != told_apart(self.reports[name]):
            self.reports[name] = report
            self.news.add(name)

    def report(self, contender: Contender) -> dict[str, float]:
        """The largest difference and the worst verdict since the last report, if there was one."""
        name = contender.name
        if name not in self.largest:
            return {}
        difference = self.largest.pop(name)
        logarithm = math.log10(difference) if difference else LEAST_LOG
        score = self.scores.pop(name)
        return {DIFFERENCE: difference, LOG_DIFFERENCE: logarithm, VERDICT: score}

    def take_news(self, contender: Contender) -> Report | None:
        """The report of the last check, if it says something that has not been taken yet."""
        if contender.name not in self.news:
            return None
        self.news.remove(contender.name)
        return self.reports[contender.name]

    @property
    def verdicts(self) -> dict[str, str]:
        """The last verdict on each contender that was checked."""
        return {name: report.verdict for name, report in self.reports.items()}

    def state_dict(self) -> dict[str, Any]:
        return {"largest": dict(self.largest), "scores": dict(self.scores)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.largest, self.scores = dict(state["largest"]), dict(state["scores"])


def told_apart(report: Report) -> tuple[Any, ...]:
    """What makes a report news: the verdict, and which causes in which parameters."""
    return report.verdict, {(each.cause, each.argument) for each in report.findings}


def relative_difference(mine: Mapping[str, Tensor], torchs: Mapping[str, Tensor]) -> float:
    """The largest difference of the gradients, parameter by parameter: max |g − r| / max |r|.

    >>> one, other = {"w": torch.tensor([4.0, 1.0])}, {"w": torch.tensor([5.0, 1.0])}
    >>> f"{relative_difference(one, other):.1f}"
    '0.2'
    """
    if mine.keys() != torchs.keys():
        return math.inf
    largest = 0.0
    for name, its in torchs.items():
        distance = (mine[name] - its).abs().max().item()
        scale = its.abs().max().item()
        largest = max(largest, ratio(distance, scale))
    return largest


def ratio(distance: float, scale: float) -> float:
    if not distance:
        return 0.0
    return distance / scale if scale else math.inf
