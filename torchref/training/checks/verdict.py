"""The cross-check's verdict on a model and its loss as they stand, on real examples."""

import copy
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from torchref.backprop import Backprop
from torchref.checker import Report, crosscheck
from torchref.training.model.examples import Examples
from torchref.training.model.model_in_training import Contender
from torchref.training.model.task import Loss, Task
from torchref.training.model.twin import torch_twin

Wrong = frozenset[tuple[str, str | None]]


class WithLoss(Module):
    """A network and its loss as one function of x and target, with the network's parameters."""

    def __init__(self, network: Module, loss: Loss) -> None:
        super().__init__()
        self.network, self.loss = network, loss

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        return self.loss(self.network(x), target)


class Handwritten(WithLoss):
    """As the report calls it."""


class Torch(WithLoss):
    """As the report calls it."""


class SweptLoss(torch.autograd.Function):
    """A loss whose backward hands out the gradients that the sweep came by."""

    @staticmethod
    def forward(ctx: Any, sweep: "Sweep", x: Tensor, target: Tensor, *values: Tensor) -> Tensor:
        loss, gradients = sweep.there_and_back(x, target, values)
        ctx.save_for_backward(*gradients)
        return loss

    @staticmethod
    def backward(ctx: Any, grad_loss: Tensor) -> tuple[Tensor | None, ...]:
        return None, None, None, *(grad_loss * grad for grad in ctx.saved_tensors)


class Sweep(Module):
    """The same with the sweep's gradients; it sweeps over a copy of its own, in float64."""

    def __init__(self, network: Module, loss: Module) -> None:
        super().__init__()
        self.network = network
        inner, loss = (copy.deepcopy(module).double() for module in (network, loss))
        self.step, self.inner = Backprop(inner, loss), list(inner.parameters())

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        return SweptLoss.apply(self, x, target, *self.network.parameters())

    def there_and_back(
        self, x: Tensor, target: Tensor, values: Iterable[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """The loss, and the gradients of all parameters where they have these values."""
        with torch.no_grad():
            for parameter, value in zip(self.inner, values, strict=True):
                parameter.copy_(value)
        loss = self.step(x.double(), target.double()).clone()
        return loss, [p.grad.clone() for p in self.inner if p.grad is not None]


class Judge:
    """The verdict on the gradients by which a contender learns, at any point of its way."""

    def __init__(self, contender: Contender, task: Task) -> None:
        model = contender.model
        self.candidate: Module = Handwritten(model, task.loss)
        if contender.sweep and isinstance(task.loss, Module):
            self.candidate = Sweep(model, task.loss)
        self.reference = Torch(torch_twin(model), task.torchs_loss())
        learning = (name for name, p in model.named_parameters() if p.requires_grad)
        self.parameters = [f"network.{name}" for name in learning]
        self.diagnosed: dict[Wrong, Report] = {}

    def live(self, batch: Examples) -> Report:
        """Of the parameters' gradients for a batch, at the price of a few steps.

        The cause of what is wrong is sought once, which may take seconds: where the same
        parameters are wrong again, the report is the one of that time.
        """
        report = self.given(batch, diagnose=False)
        if report.verdict != "wrong":
            return report
        wrong = what_is_wrong(report)
        if wrong not in self.diagnosed:
            self.diagnosed[wrong] = self.given(batch)
        return self.diagnosed[wrong]

    def given(self, batch: Examples, *, diagnose: bool = True) -> Report:
        """Of the parameters' gradients for this batch alone."""
        inputs, wrt = (batch.x, batch.target), self.parameters
        return crosscheck(
            self.candidate, self.reference, inputs, wrt=wrt, thorough=False, diagnose=diagnose
        )

    def thorough(self, examples: Examples) -> Report:
        """Of the gradients of all parameters, of x and of target, under all that can be tried."""
        return crosscheck(self.candidate, self.reference, (examples.x, examples.target))


def what_is_wrong(report: Report) -> Wrong:
    """The parameters that are wrong, and how each shows it."""
    return frozenset((each.cause, each.argument) for each in report.findings)
