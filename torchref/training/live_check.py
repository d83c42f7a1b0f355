"""Handwritten gradients against torch's, on the live model and batch, while it trains."""

import math
from collections.abc import Mapping

from torch import Tensor

from torchref.training.contender import Contender
from torchref.training.task import Examples, Task
from torchref.training.twin import torch_twin

DIFFERENCE = "gradients/relative_difference"
LOG_DIFFERENCE = "gradients/log10_relative_difference"
LEAST_LOG = -20.0  # stands for "equal bit for bit", whose logarithm is −∞


class LiveCheck:
    """torch's own layers, given the weights of a contender whenever its gradients are checked."""

    def __init__(self, task: Task) -> None:
        self.twin, self.loss = torch_twin(task.network), task.torchs_loss()
        self.largest: dict[str, float] = {}  # since the last log point

    def look(self, contender: Contender, batch: Examples) -> None:
        """Compares the gradients that the contender has just found for the batch."""
        self.twin.load_state_dict(contender.model.state_dict())
        self.twin.zero_grad()
        self.loss(self.twin(batch.x), batch.target).backward()
        torchs = {name: p.grad for name, p in self.twin.named_parameters() if p.grad is not None}
        difference = relative_difference(contender.gradients(), torchs)
        self.largest[contender.name] = max(difference, self.largest.get(contender.name, 0.0))

    def report(self, contender: Contender) -> dict[str, float]:
        """The largest difference since the last report, if there was a look."""
        if contender.name not in self.largest:
            return {}
        difference = self.largest.pop(contender.name)
        logarithm = math.log10(difference) if difference else LEAST_LOG
        return {DIFFERENCE: difference, LOG_DIFFERENCE: logarithm}


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
