"""`torchref explain`: the explanation of a lecture's network, or of one drawn from a seed."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import Tensor

from torchref import nn
from torchref.errors import InputError
from torchref.explainer.explanation import Explanation, explain
from torchref.explainer.lectures import LECTURES, lecture

LOSSES = {
    "log": lambda: nn.BCELoss(reduction="sum"),
    "logits": lambda: nn.BCEWithLogitsLoss(reduction="sum"),
    "squared": lambda: nn.SquaredError("sum"),
    "half-squared": lambda: nn.SquaredError("half_sum"),
    "mean-squared": nn.MSELoss,
}
ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU, "none": nn.Identity}
FITTING_OUTPUT = {"log": "sigmoid", "logits": "none"}  # the other losses take any


class Format(StrEnum):
    text = "text"
    markdown = "markdown"
    latex = "latex"
    png = "png"


def explain_command(
    lecture_name: Annotated[
        str | None, typer.Argument(metavar="[LECTURE]", help=f"One of {', '.join(LECTURES)}.")
    ] = None,
    sizes: Annotated[str, typer.Option(help="Neurons by level, the inputs first.")] = "2,2,1",
    loss: Annotated[str, typer.Option(help=f"One of {', '.join(LOSSES)}.")] = "log",
    activation: Annotated[
        str, typer.Option(help=f"Of the hidden levels: {', '.join(ACTIVATIONS)}.")
    ] = "sigmoid",
    output: Annotated[
        str | None, typer.Option(help="Of the last level; what fits the loss, if left out.")
    ] = None,
    weight: Annotated[
        str | None,
        typer.Option(help="LEVEL:FROM,TO, each from 1, as the lectures write w⁽ᴸᴱⱽᴱᴸ⁾."),
    ] = None,
    bias: Annotated[str | None, typer.Option(help="LEVEL:NEURON, each from 1.")] = None,
    examples: Annotated[int, typer.Option(min=1, help="How many examples to draw.")] = 1,
    lr: Annotated[float | None, typer.Option(help="The learning rate of the update.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of weights and examples.")] = 0,
    format: Annotated[Format, typer.Option(help="What to print, or to draw.")] = Format.text,
    file: Annotated[Path | None, typer.Option(help="Write there; a picture needs it.")] = None,
) -> None:
    """The chain rule of one weight, factor by factor, with its numbers and a verdict."""
    ...
