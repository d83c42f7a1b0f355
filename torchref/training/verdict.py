"""The cross-check's verdict on a model and its loss as they stand, on real examples."""

from torch import Tensor
from torch.nn import Module

from torchref.checker import Report, crosscheck
from torchref.training.task import Examples, Loss, Task
from torchref.training.twin import torch_twin


class WithLoss(Module):
    """A network and its loss as one function of x and target, with the network's parameters."""

    def __init__(self, network: Module, loss: Loss) -> None:
        super().__init__()
        self.network, self.loss = network, loss

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        return self.loss(self.network(x), target)


def verdict(task: Task, model: Module, examples: Examples) -> Report:
    """Whether the handwritten gradients of all parameters, of x and of target are right."""
    reference = WithLoss(torch_twin(model), task.torchs_loss())
    return crosscheck(WithLoss(model, task.loss), reference, (examples.x, examples.target))
