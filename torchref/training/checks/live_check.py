"""Handwritten gradients against torch's, on the live model and batch, while it trains.

Each check measures how far the gradients at hand lie from those of torch's own layers, and has the
cross-check judge the same model on the same batch: right, wrong or cannot tell.
"""

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

import torchref.nn
from torchref.checker import Report
from torchref.checker.execution.raw_returns import custom_functions
from torchref.training.checks.looks import Looks
from torchref.training.checks.verdict import Judge, what_is_wrong
from torchref.training.model.examples import Examples
from torchref.training.model.model_in_training import Contender
from torchref.training.model.task import Loss, Task
from torchref.training.model.twin import torch_twin

DIFFERENCE = "gradients/relative_difference"
LOG_DIFFERENCE = "gradients/log10_relative_difference"
LEAST_LOG = -20.0  # stands for "equal bit for bit", whose logarithm is −∞
VERDICT = "gradients/verdict"
NOISE = 1024  # roundings: of a sum over a batch and its pixels
SCORES = {"right": 1.0, "cannot tell": 0.0, "wrong": -1.0}


class LiveCheck:
    """torch's own layers, given the weights of a contender whenever its gradients are checked."""

    def __init__(self, task: Task) -> None:
        self.task, self.twin, self.loss = task, torch_twin(task.network), task.torchs_loss()
        # Of torch's own layers and loss the twin is a copy: to lie 0 apart would say nothing.
        self.compares = task.torch_loss is not None or any(
            torchref.nn.by_torch(copy.deepcopy(each)).moved
            for each in (task.network, task.loss)
            if isinstance(each, Module)
        )
        self.judges: dict[str, Judge] = {}
        self.largest: dict[str, float] = {}  # both since the last log point
        self.scores: dict[str, float] = {}
        self.reports: dict[str, Report] = {}  # the last that says something new
        self.news: dict[str, Report] = {}  # those of them that have not been taken yet
        self.looks: dict[str, Looks] = {}  # since the start of the training

    def look(self, contender: Contender, batches: Sequence[Examples], step: int) -> None:
        """Compares the gradients that the contender has just found for a step, and judges."""
        name, device = contender.name, batches[0].x.device
        self.twin.load_state_dict(contender.model.state_dict())
        with random_numbers_kept(device) as were_drawn:
            torchs, by_hand = gradients_over(contender, self.twin, self.loss, batches)
            again = were_drawn()
        mine = contender.gradients()
        if again:  # with the same random numbers as the twin, a dropout's mask, say
            with random_numbers_kept(device):
                model = copy.deepcopy(contender.model)
                mine, _ = gradients_over(contender, model, contender.loss, batches)
        if not by_hand and (self.compares or contender.sweep):
            difference = relative_difference(mine, torchs)
            self.largest[name] = max(difference, self.largest.get(name, 0.0))
        if name not in self.judges:
            self.judges[name] = Judge(contender, self.task)
        report = self.judges[name].live(batches[0])
        self.looks.setdefault(name, Looks()).note(step, report)
        self.scores[name] = min(SCORES[report.verdict], self.scores.get(name, 1.0))
        if name not in self.reports or told_apart(report) != told_apart(self.reports[name]):
            self.reports[name] = self.news[name] = report

    def report(self, contender: Contender) -> dict[str, float]:
        """The largest difference and the worst verdict since the last report, if there was one.

        There is no difference of a network that torch has not, nor of one that is torch's own: its
        twin is no witness.
        """
        name, told = contender.name, {}
        if name in self.largest:
            difference = self.largest.pop(name)
            logarithm = math.log10(difference) if difference else LEAST_LOG
            told = {DIFFERENCE: difference, LOG_DIFFERENCE: logarithm}
        if name in self.scores:
            told[VERDICT] = self.scores.pop(name)
        return told

    def take_news(self, contender: Contender) -> Report | None:
        """The report of the last check, if it says something that has not been taken yet."""
        return self.news.pop(contender.name, None)

    @property
    def verdicts(self) -> dict[str, str]:
        """The last verdict on each contender that was checked."""
        return {name: report.verdict for name, report in self.reports.items()}

    def state_dict(self) -> dict[str, Any]:
        looks = {name: each.state_dict() for name, each in self.looks.items()}
        return {"largest": dict(self.largest), "scores": dict(self.scores), "looks": looks}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.largest, self.scores = dict(state["largest"]), dict(state["scores"])
        self.looks = {name: Looks.from_state_dict(each) for name, each in state["looks"].items()}


def gradients_over(
    contender: Contender, model: Module, loss: Loss, batches: Sequence[Examples]
) -> tuple[dict[str, Tensor], bool]:
    """The model's gradients of a step as the contender weighs its batches.

    And whether a Function of someone's own took part in them, so that they are no witness.
    """
    total: dict[str, Tensor] = {}
    by_hand = False
    for batch, weight in contender.weighed(batches):
        with contender.arithmetic(batch.x.device):
            found = loss(model(batch.x), batch.target)
        for name, g in gradients_of(model, found * weight).items():
            total[name] = total[name] + g if name in total else g
        by_hand = by_hand or bool(custom_functions((found,)))
    return total, by_hand


def gradients_of(model: Module, loss: Tensor) -> dict[str, Tensor]:
    """The gradients of a loss by the names of the model's parameters, without those of none."""
    named = {name: p for name, p in model.named_parameters() if p.requires_grad}
    gradients = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
    return {name: g for name, g in zip(named, gradients, strict=True) if g is not None}


@contextmanager
def random_numbers_kept(device: torch.device) -> Iterator[Callable[[], bool]]:
    """The random numbers of the training go on as if none had been drawn here.

    What it gives says whether any has been.
    """
    gpus = [device] if device.type == "cuda" else []

    def states() -> list[Tensor]:
        return [torch.get_rng_state(), *map(torch.cuda.get_rng_state, gpus)]

    before = states()
    with torch.random.fork_rng(gpus):
        yield lambda: not all(map(torch.equal, before, states()))


def told_apart(report: Report) -> tuple[Any, ...]:
    """What makes a report news: the verdict, and which causes in which parameters."""
    return report.verdict, what_is_wrong(report)


def relative_difference(mine: Mapping[str, Tensor], torchs: Mapping[str, Tensor]) -> float:
    """The largest difference of the gradients, parameter by parameter: max |g − r| / max |r|.

    Where g and r are both but roundings of the largest gradient they count as 0: those of a bias
    before a batch norm, which takes it away again, are 0 but for what was rounded.

    >>> one, other = {"w": torch.tensor([4.0, 1.0])}, {"w": torch.tensor([5.0, 1.0])}
    >>> f"{relative_difference(one, other):.1f}"
    '0.2'
    """
    if mine.keys() != torchs.keys():
        return math.inf
    sizes = {name: its.abs().max().item() for name, its in torchs.items()}
    noise = NOISE * max((torch.finfo(each.dtype).eps for each in torchs.values()), default=0.0)
    noise *= max(sizes.values(), default=0.0)
    largest = 0.0
    for name, its in torchs.items():
        if max(sizes[name], mine[name].abs().max().item()) > noise:
            distance = (mine[name] - its).abs().max().item()
            largest = max(largest, ratio(distance, sizes[name]))
    return largest


def ratio(distance: float, scale: float) -> float:
    if not distance:
        return 0.0
    return distance / scale if scale else math.inf
