"""A model on its way, under one of the ways to its gradients."""

import copy
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from torchref.backprop import Backprop
from torchref.errors import InputError
from torchref.training.model.task import Examples, Task
from torchref.training.model.twin import torch_twin
from torchref.training.process.distribution import Processes
from torchref.training.settings import Gradients, Optimizer

OPTIMIZERS: dict[Optimizer, Callable[..., torch.optim.Optimizer]] = {
    Optimizer.SGD: torch.optim.SGD,
    Optimizer.MOMENTUM: partial(torch.optim.SGD, momentum=0.9),
    Optimizer.ADAM: torch.optim.Adam,
}


class Contender:
    """A copy of the task's network with an optimiser, and `backpropagate` by its kind of gradients.

    The copy starts from the network's weights, so that all contenders of a run start alike.
    """

    def __init__(
        self,
        gradients: Gradients,
        task: Task,
        optimizer: Optimizer,
        lr: float,
        processes: Processes,
    ) -> None:
        self.name = str(gradients)
        self.processes = processes
        self.reduction = str(task.loss.reduction)
        torchs = gradients == Gradients.TORCH
        self.model: Module = torch_twin(task.network) if torchs else copy.deepcopy(task.network)
        self.loss = task.torchs_loss() if torchs else task.loss
        self.parallel = self.model
        self.sweep = None
        if gradients == Gradients.SWEEP:
            if processes.count > 1:
                raise InputError(
                    "The sweep trains in one process",
                    f"there are {processes.count}",
                    "DistributedDataParallel waits for autograd: take --gradients handwritten.",
                )
            self.sweep = Backprop(self.model, task.loss)
        else:
            self.parallel = processes.parallel(self.model)
        self.optimizer = OPTIMIZERS[optimizer](self.model.parameters(), lr=lr)

    def backpropagate(self, batch: Examples, size: int) -> float:
        """Leaves the gradients in the model's parameters, and returns the loss.

        `batch` is this process' share of a batch of `size` examples. The gradients are those of
        the whole batch, the loss is that of the share.
        """
        if self.sweep:
            return self.sweep(batch.x, batch.target).item()
        self.optimizer.zero_grad()
        loss = self.loss(self.parallel(batch.x), batch.target)
        (loss * self.processes.weight(size, self.reduction)).backward()
        return loss.item()

    @torch.no_grad()
    def measure(self, parts: Mapping[str, Examples], scores: Mapping[str, Any]) -> dict[str, float]:
        """The loss and each score of each part of the data, by the tag score/part."""
        values = {}
        for part, examples in parts.items():
            output = self.model(examples.x)
            values[f"loss/{part}"] = self.loss(output, examples.target).item()
            for name, score in scores.items():
                values[f"{name}/{part}"] = score(output, examples.target)
        return values

    def parameters(self) -> dict[str, Tensor]:
        return {name: p.detach() for name, p in self.model.named_parameters()}

    def gradients(self) -> dict[str, Tensor]:
        return {n: p.grad for n, p in self.model.named_parameters() if p.grad is not None}

    def state_dict(self) -> dict[str, Any]:
        return {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
