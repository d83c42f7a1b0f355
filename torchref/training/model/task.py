"""What an experiment is about: data, a network, a loss, and how well it is done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import Module

from torchref.errors import InputError
from torchref.training.model.examples import Data, Examples, Loaded, as_data
from torchref.training.model.twin import torch_twin
from torchref.training.option_values import is_plain_name

if TYPE_CHECKING:
    from PIL.Image import Image

Loss = Callable[[Tensor, Tensor], Tensor]
Score = Callable[[Tensor, Tensor], float]
Show = Callable[[Module], "str | Image"]


@dataclass(frozen=True)
class Task:
    """A network to be trained from its present weights, on what, and by which loss.

    name        of the folder that its runs are in
    network     any module; its layers may be torch's, handwritten, or have Functions of your own
    loss        of output and target, one number: a module, or a function that is a mean over the
                examples unless it has a `reduction`
    examples    (x, target), or `Examples`, tensors with a row an example; or batches of such pairs:
                a `DataLoader`, a list
    held_out    the same of what is never trained on
    scores      functions of output and target by the name that they are logged under
    torch_loss  the loss of torch's own that equals a handwritten one which torch does not have
    shown       functions of the network, whose texts or pictures are logged ten times in a run
    epoch       of many examples in tensors, so many make an epoch, drawn anew each time
    measured    so many examples at most of each part are measured for losses and scores

    Raises `InputError` for data that is neither, and for a part that no training can use.
    """

    name: str
    network: Module
    loss: Loss
    examples: Data
    held_out: Data | None = None
    scores: Mapping[str, Score] = field(default_factory=dict)
    torch_loss: Loss | None = None
    shown: Mapping[str, Show] = field(default_factory=dict)
    epoch: int | None = None
    measured: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not all(map(is_plain_name, self.name.split("/"))):
            raise InputError(
                "The name of a task must be a plain name for a folder, or several with a / between",
                f"{self.name!r} arrived"
                if isinstance(self.name, str)
                else f"an object of the class {type(self.name).__name__} arrived",
                'Give Task("flowers", network, ...), say.',
            )
        if not isinstance(self.network, Module) or not callable(self.loss):
            raise InputError(
                "A task must have a module to train and a loss of its output and the target",
                f"a {type(self.network).__name__} and a {type(self.loss).__name__} arrived",
                "The order is Task(name, network, loss, examples).",
            )
        if not any(parameter.requires_grad for parameter in self.network.parameters()):
            raise InputError(
                "A network must have a parameter that learns",
                "it has none that requires a gradient",
                "Are they frozen, or not registered as torch.nn.Parameter?",
            )
        object.__setattr__(self, "examples", as_data(self.examples, "examples"))
        if self.held_out is not None:
            object.__setattr__(self, "held_out", as_data(self.held_out, "held_out"))
        for name in ("epoch", "measured"):
            number = getattr(self, name)
            if number is not None and not (isinstance(number, int) and number > 0):
                raise InputError(
                    f"{name} must be a number of examples", f"{number!r} arrived", "Leave it out."
                )

    def torchs_loss(self) -> Loss:
        if self.torch_loss is not None:
            return self.torch_loss
        return torch_twin(self.loss) if isinstance(self.loss, Module) else self.loss

    def parts(
        self, device: torch.device, dtype: torch.dtype, seed: int = 0
    ) -> "dict[str, Examples | Loaded]":
        """What is trained on, and what is held out, on the device."""
        given = {"train": self.examples, "held_out": self.held_out}
        return {
            name: part.to(device, dtype)
            if isinstance(part, Examples)
            else Loaded(part, device, dtype, seed)
            for name, part in given.items()
            if part is not None
        }


def accuracy(output: Tensor, target: Tensor) -> float:
    """The share of rows whose class is found: the largest column, or a positive single logit.

    Shapes: output and target (N, C), with a one in the column of the right class, or (N, 1); or
    output (N, C, ...) and the number of the class (N, ...).

    >>> accuracy(torch.tensor([[0.9, 0.8], [0.1, 0.2]]), torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
    0.5
    >>> accuracy(torch.tensor([[-3.0], [2.0]]), torch.tensor([[0.0], [1.0]]))
    1.0
    >>> accuracy(torch.tensor([[0.1, 0.9], [0.1, 0.2]]), torch.tensor([1, 0]))
    0.5
    """
    if target.dim() < output.dim():
        right = output.argmax(dim=1) == target
    elif output.shape[1] == 1:
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
