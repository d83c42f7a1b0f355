"""What an experiment is about: data, a network, a loss, and how well it is done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import Module

from torchref.errors import InputError
from torchref.training.model.twin import torch_twin

Loss = Callable[[Tensor, Tensor], Tensor]
Score = Callable[[Tensor, Tensor], float]


@dataclass(frozen=True)
class Examples:
    """Inputs and what the network should answer, one example a row."""

    x: Tensor
    target: Tensor

    def __post_init__(self) -> None:
        if not 0 < len(self.x) == len(self.target):
            raise InputError(
                "Examples must have as many targets as inputs, one row each, and at least one",
                f"there are {len(self.x)} inputs and {len(self.target)} targets",
                "Look at how the data was split.",
            )

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows: Tensor) -> "Examples":
        return Examples(self.x[rows], self.target[rows])

    def to(self, device: torch.device, dtype: torch.dtype) -> "Examples":
        """Classes, which are integers, stay integers."""
        target = self.target
        return Examples(
            self.x.to(device, dtype),
            target.to(device, dtype if target.is_floating_point() else target.dtype),
        )


@dataclass(frozen=True)
class Task:
    """A network to be trained from its present weights.

    `loss` is handwritten, a module with a `reduction`. `torch_loss` is the same of torch's own, and
    may be left out where torch has a loss of that name. `scores` are functions of the network's
    output and the target, logged by their names.
    """

    name: str
    network: Module
    loss: Module
    examples: Examples
    held_out: Examples | None = None
    scores: Mapping[str, Score] = field(default_factory=dict)
    torch_loss: Loss | None = None

    def torchs_loss(self) -> Loss:
        return torch_twin(self.loss) if self.torch_loss is None else self.torch_loss

    def parts(self, device: torch.device, dtype: torch.dtype) -> dict[str, Examples]:
        parts = {"train": self.examples} | ({"held_out": self.held_out} if self.held_out else {})
        return {name: part.to(device, dtype) for name, part in parts.items()}


def accuracy(output: Tensor, target: Tensor) -> float:
    """The share of rows whose class is found: the largest column, or a positive single logit.

    Shapes: output and target (N, C), with a one in the column of the right class, or (N, 1).

    >>> accuracy(torch.tensor([[0.9, 0.8], [0.1, 0.2]]), torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
    0.5
    >>> accuracy(torch.tensor([[-3.0], [2.0]]), torch.tensor([[0.0], [1.0]]))
    1.0
    """
    if output.shape[1] == 1:
        right = (output > 0) == (target > 0.5)
    else:
        right = output.argmax(dim=1) == target.argmax(dim=1)
    return right.double().mean().item()


def r2(output: Tensor, target: Tensor) -> float:
    """The share of the target's variance that is explained: 1 − Σ (t − y)² / Σ (t − t̄)².

    >>> r2(torch.tensor([[1.0], [2.0]]), torch.tensor([[1.0], [3.0]]))
    0.5
    """
    left = ((target - output) ** 2).sum()
    return (1 - left / ((target - target.mean()) ** 2).sum()).item()
