"""A network of the sizes, activations and loss that the command line names, drawn at random."""

import re
from collections.abc import Callable, Iterable
from itertools import pairwise

import torch
from torch import Tensor

from torchref import nn
from torchref.errors import InputError

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


def drawn_network(
    sizes: str, loss: str, activation: str, output: str | None, seed: int
) -> nn.Sequential:
    """Layers named as in `SigmoidNetwork`, with other activations."""
    one_of("--loss", loss, LOSSES)
    one_of("--activation", activation, ACTIVATIONS)
    output = output or FITTING_OUTPUT.get(loss, "sigmoid")
    one_of("--output", output, ACTIVATIONS)
    fitting = FITTING_OUTPUT.get(loss, output)
    if output != fitting:
        raise InputError(
            f"The loss {loss} fits an output of {fitting}",
            f"--output {output} arrived",
            "log takes probabilities, logits and cross-entropy what goes into sigmoid or softmax; "
            "squared takes anything.",
        )
    if not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)+", sizes):
        raise InputError(
            "--sizes must be two or more positive whole numbers with commas between, inputs first",
            f"{sizes!r} arrived",
            "Lecture 002's network is --sizes 4,3,2.",
        )
    torch.manual_seed(seed)
    network = nn.Sequential()
    steps = list(pairwise(map(int, sizes.split(","))))
    for number, (inputs, outputs) in enumerate(steps, start=1):
        kind = output if number == len(steps) else activation
        network.add_module(f"linear{number}", nn.Linear(inputs, outputs))
        if kind != "none":
            network.add_module(f"{kind}{number}", ACTIVATIONS[kind]())
    return network.double()


def drawn_target(loss: str, examples: int, outputs: int) -> Tensor:
    """Classes for the losses that tell them apart, numbers for the others."""
    target = torch.rand(examples, outputs, dtype=torch.float64)
    if loss == "cross-entropy":
        return torch.eye(outputs, dtype=torch.float64)[target.argmax(dim=1)]
    return target.round() if loss in FITTING_OUTPUT else target


def one_of(option: str, value: str, choices: Iterable[str]) -> None:
    if value not in choices:
        raise InputError(
            f"{option} must be one of {', '.join(choices)}", f"{value!r} arrived", "Choose one."
        )
