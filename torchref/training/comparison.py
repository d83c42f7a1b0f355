"""One training done twice in step: with handwritten gradients, and with torch's own."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import Module

from torchref.training.command_line import Settings
from torchref.training.device import resolve_device
from torchref.training.logbook import Logbook
from torchref.training.run_folder import create_run_folder
from torchref.training.twin import torch_twin

LOG_POINTS, LINES = 500, 10
LOSS = "loss/train"
DIFFERENCE = "gradients/relative_difference"
LOG_DIFFERENCE = "gradients/log10_relative_difference"
LEAST_LOG = -20.0  # stands for "equal bit for bit", whose logarithm is −∞

Loss = Callable[[Tensor, Tensor], Tensor]
Score = Callable[[Tensor, Tensor], float]


@dataclass(frozen=True)
class Examples:
    """Inputs and what the network should answer, one example a row."""

    x: Tensor
    target: Tensor

    def to(self, device: torch.device) -> "Examples":
        return Examples(self.x.to(device), self.target.to(device))


class Contender:
    """A model on its way: its loss and its optimiser, under the name of its gradients."""

    def __init__(self, name: str, model: Module, loss: Loss, lr: float) -> None:
        self.name, self.model, self.loss = name, model, loss
        self.optimizer = torch.optim.SGD(model.parameters(), lr=lr)

    def backpropagate(self, examples: Examples) -> float:
        """Leaves the gradients in the model's parameters, and returns the loss."""
        self.optimizer.zero_grad()
        loss = self.loss(self.model(examples.x), examples.target)
        loss.backward()
        return loss.item()

    @torch.no_grad()
    def measure(
        self, parts: Mapping[str, Examples], scores: Mapping[str, Score]
    ) -> dict[str, float]:
        """Each score of each part of the data, by the tag score/part."""
        outputs = {part: self.model(examples.x) for part, examples in parts.items()}
        return {
            f"{tag}/{part}": score(outputs[part], examples.target)
            for tag, score in scores.items()
            for part, examples in parts.items()
        }


@dataclass(frozen=True)
class Outcome:
    """How a training ended: where, after how many epochs, and with which values.

    `scalars` holds the last value of each tag for the runs "handwritten" and "torch".
    """

    folder: Path
    epochs: int
    under_threshold: bool
    scalars: Mapping[str, Mapping[str, float]]


def train_both_ways(
    experiment: str,
    settings: Settings,
    network: Module,
    examples: Examples,
    *,
    loss: Loss,
    torch_loss: Loss,
    held_out: Examples | None = None,
    scores: Mapping[str, Score] | None = None,
    threshold: float = 0.0,
) -> Outcome:
    """Trains a handwritten network and its `torch_twin` from the same start, and logs both.

    Every epoch is one step of gradient descent on all examples; epoch n is the state after n
    steps, so that epoch 0 is the common start. The training ends when both losses are below
    `threshold`, or after `settings.epochs`. The curves are the runs "handwritten" and "torch" of
    a new run folder, which TensorBoard draws over each other; "handwritten" also has the
    difference of the gradients. About 500 epochs are logged.

    Raises `InputError` for a device that is not there and a log folder that cannot be written.
    """
    device = resolve_device(settings.device)
    folder = create_run_folder(
        settings.logdir, experiment, f"lr{settings.lr:g}_e{settings.epochs}", settings.seed
    )
    network = network.to(device)
    examples = examples.to(device)
    parts = {"train": examples} | ({"held_out": held_out.to(device)} if held_out else {})
    handwritten = Contender("handwritten", network, loss, settings.lr)
    torchs = Contender("torch", torch_twin(network), torch_loss, settings.lr)
    contenders = (handwritten, torchs)

    charts = {"loss": [LOSS], "difference of the gradients": [DIFFERENCE]}
    log_every, print_every = (max(1, settings.epochs // n) for n in (LOG_POINTS, LINES))
    with Logbook(folder, [each.name for each in contenders], charts) as logbook:
        for epoch in range(settings.epochs + 1):
            losses = [each.backpropagate(examples) for each in contenders]
            under_threshold = max(losses) < threshold
            ends = under_threshold or epoch == settings.epochs
            if ends or epoch % log_every == 0 or epoch % print_every == 0:
                difference = relative_difference(network, torchs.model)
                scalars = {
                    each.name: {LOSS: value, **each.measure(parts, scores or {})}
                    for each, value in zip(contenders, losses, strict=True)
                }
                scalars[handwritten.name] |= {
                    DIFFERENCE: difference,
                    LOG_DIFFERENCE: finite_log10(difference),
                }
                for name, values in scalars.items():
                    logbook.log(epoch, name, values)
                logbook.flush()
            if ends or epoch % print_every == 0:
                print(
                    f"epoch {epoch:>6}   loss {losses[0]:.6f}, with torch's gradients "
                    f"{losses[1]:.6f}   gradients differ by {difference:.1e}",
                    flush=True,
                )
            if ends:
                break
            for each in contenders:
                each.optimizer.step()
    return Outcome(folder, epoch, under_threshold, scalars)


def relative_difference(model: Module, reference: Module) -> float:
    """The largest difference of the gradients, parameter by parameter: max |g − r| / max |r|."""
    largest = 0.0
    for mine, its in zip(model.parameters(), reference.parameters(), strict=True):
        if mine.grad is None or its.grad is None:
            raise ValueError("both models must have been backpropagated through")
        distance = (mine.grad - its.grad).abs().max().item()
        scale = its.grad.abs().max().item()
        largest = max(largest, ratio(distance, scale))
    return largest


def ratio(distance: float, scale: float) -> float:
    if not distance:
        return 0.0
    return distance / scale if scale else math.inf


def finite_log10(difference: float) -> float:
    return math.log10(difference) if difference else LEAST_LOG
