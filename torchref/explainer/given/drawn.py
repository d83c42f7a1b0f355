"""A network drawn from a seed, with inputs and targets for it."""

import re
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from torchref import nn
from torchref.errors import InputError, known

LOSSES: dict[str, Callable[[], nn.Module]] = {
    "log": lambda: nn.BCELoss(reduction="sum"),
    "logits": lambda: nn.BCEWithLogitsLoss(reduction="sum"),
    "cross-entropy": lambda: nn.CrossEntropyLoss(reduction="sum"),
    "squared": lambda: nn.SquaredError("sum"),
    "half-squared": lambda: nn.SquaredError("half_sum"),
    "mean-squared": nn.MSELoss,
}
ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU, "none": nn.Identity}
# The other losses take any.
FITTING_OUTPUT = {"log": "sigmoid", "logits": "none", "cross-entropy": "none"}

# A million weights are explained in some ten seconds; a chain of more levels underflows.
MOST_WEIGHTS, MOST_NUMBERS, MOST_LEVELS = 1_000_000, 1_000_000, 300


def drawn(
    sizes: str, loss: str, activation: str, output: str | None, examples: int, seed: int
) -> tuple[nn.Sequential, Tensor, Tensor]:
    """A network with layers named as in `SigmoidNetwork`, inputs for it, and targets.

    Targets are classes for the losses that tell them apart, and numbers for the others.
    """
    known(loss, LOSSES, "--loss", "Leave it out for log.")
    known(activation, ACTIVATIONS, "--activation", "Leave it out for sigmoid.")
    output = output or FITTING_OUTPUT.get(loss, "sigmoid")
    known(output, ACTIVATIONS, "--output", "Leave it out for what fits the loss.")
    fitting = FITTING_OUTPUT.get(loss, output)
    if output != fitting:
        raise InputError(
            f"The loss {loss} fits an output of {fitting}",
            f"--output {output} arrived",
            "log takes probabilities, logits and cross-entropy what goes into sigmoid or softmax; "
            "squared takes anything.",
        )
    if not re.fullmatch(r"[1-9]\d{0,11}(,[1-9]\d{0,11})+", sizes):
        raise InputError(
            "--sizes must be two or more positive whole numbers with commas between, inputs first",
            f"{sizes!r} arrived",
            "Lecture 002's network is --sizes 4,3,2.",
        )
    neurons = [int(size) for size in sizes.split(",")]
    require_small(neurons, examples)
    torch.manual_seed(seed)
    network = nn.Sequential()
    for level, (inputs, outputs) in enumerate(pairwise(neurons), start=1):
        kind = activation if level < len(neurons) - 1 else output
        network.add_module(f"linear{level}", nn.Linear(inputs, outputs))
        if kind != "none":
            network.add_module(f"{kind}{level}", ACTIVATIONS[kind]())
    x = torch.randn(examples, neurons[0], dtype=torch.float64)
    target = torch.rand(examples, neurons[-1], dtype=torch.float64)
    if loss == "cross-entropy":
        target = torch.eye(neurons[-1], dtype=torch.float64)[target.argmax(dim=1)]
    elif loss in FITTING_OUTPUT:
        target = target.round()
    return network.double(), x, target


def require_small(neurons: list[int], examples: int) -> None:
    """Refuse what would take minutes, or all memory, before anything is drawn."""
    weights = sum(below * above for below, above in pairwise(neurons))
    for what, most, count, option in (
        ("weights", MOST_WEIGHTS, weights, "--sizes"),
        ("levels", MOST_LEVELS, len(neurons) - 1, "--sizes"),
        ("numbers in all examples", MOST_NUMBERS, examples * max(neurons), "--examples"),
    ):
        if count > most:
            raise InputError(
                f"A network that is explained must have at most {most:,} {what}",
                f"{count:,} would be drawn",
                f"Give less in {option}: a small network has the same chain rule.",
            )
