"""`torchref explain`: the network of a lecture, or one drawn from a seed."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from torchref import nn
from torchref.checker.promise import MOST_SEED
from torchref.errors import InputError, not_writable
from torchref.explainer.document.text import WITHOUT_A_TERMINAL
from torchref.explainer.drawn_network import (
    ACTIVATIONS,
    LOSSES,
    drawn_network,
    drawn_target,
    one_of,
)
from torchref.explainer.explanation import Explanation, explain
from torchref.explainer.lectures import LECTURES, lecture
from torchref.explainer.place_option import linear_layers, place_in
from torchref.explainer.whole_number_option import whole_number

FORMATS = ("text", "markdown", "latex", "png")
OF_OWN_NETWORKS = "2,2,1", "log", "sigmoid", None, 1  # the defaults of what a lecture settles

EPILOG = (
    "Exit status: 0 the verdict is right, 1 it is not, 2 bad usage.\n\n"
    "Examples:\n\n`torchref explain two-neuron-chain`\n\n"
    "`torchref explain --sizes 4,3,2 --loss squared --weight 1:2,3`\n\n"
    "`torchref explain matrix-form --format png --file chain.png`"
)


def explain_command(
    name: Annotated[
        str | None, typer.Argument(metavar="LECTURE", help=f"One of {', '.join(LECTURES)}.")
    ] = None,
    sizes: Annotated[str, typer.Option(help="Neurons by level, inputs first.")] = "2,2,1",
    loss: Annotated[str, typer.Option(help=f"One of {', '.join(LOSSES)}.")] = "log",
    activation: Annotated[
        str, typer.Option(help=f"Of the hidden levels: {', '.join(ACTIVATIONS)}.")
    ] = "sigmoid",
    output: Annotated[
        str | None, typer.Option(help="Of the last level; left out, what fits the loss.")
    ] = None,
    examples: Annotated[
        int,
        typer.Option(
            parser=whole_number(1), metavar="INTEGER", help="How many examples to draw: 1 or more."
        ),
    ] = 1,
    weight: Annotated[
        str | None, typer.Option(metavar="LEVEL:FROM,TO", help="A weight, counted from 1.")
    ] = None,
    bias: Annotated[
        str | None, typer.Option(metavar="LEVEL:NEURON", help="A bias, counted from 1.")
    ] = None,
    lr: Annotated[float | None, typer.Option(help="The learning rate of the update.")] = None,
    seed: Annotated[
        int,
        typer.Option(
            parser=whole_number(0, MOST_SEED),
            metavar="INTEGER",
            help=f"Of what is drawn: 0 to {MOST_SEED}.",
        ),
    ] = 0,
    form: Annotated[str, typer.Option("--format", help=f"{', '.join(FORMATS)}.")] = "text",
    file: Annotated[Path | None, typer.Option(help="Where to write it; a png needs one.")] = None,
) -> None:
    """The chain rule of one weight: its factors, their numbers, what is reused, and a verdict."""
    one_of("--format", form, FORMATS)
    if lr is not None and not (math.isfinite(lr) and lr > 0):
        raise InputError("--lr must be a positive number", f"{lr} arrived", "0.1 is a usual one.")
    if name is not None:
        given = (sizes, loss, activation, output, examples)
        found = explain_lecture(name, given, weight, bias, seed, lr)
    else:
        network = drawn_network(sizes, loss, activation, output, seed)
        found = explain_drawn(network, loss, examples, weight, bias, lr)
    if form == "png":
        if file is None:
            raise InputError("--format png needs a file", "none was given", "Add --file chain.png.")
        found.save_png(file)
    else:
        width = None if file is None else WITHOUT_A_TERMINAL
        forms: dict[str, Callable[[], str]] = {
            "text": partial(found.text, width),
            "markdown": found.markdown,
            "latex": found.latex,
        }
        write(forms[form](), file)
    if found.verdict != "right":
        raise typer.Exit(1)


def explain_lecture(
    name: str,
    given: tuple[Any, ...],
    weight: str | None,
    bias: str | None,
    seed: int,
    lr: float | None,
) -> Explanation:
    chosen = lecture(name)
    if given != OF_OWN_NETWORKS:
        raise InputError(
            f"{name} has a network, a loss and an example of its own",
            "--sizes, --loss, --activation, --output or --examples was given",
            "Leave out either the lecture or these.",
        )
    parameter, entry = place_in(chosen.network(), weight, bias)
    return chosen.explain(parameter, entry, seed=seed, rate=lr)


def explain_drawn(
    network: nn.Sequential,
    loss: str,
    examples: int,
    weight: str | None,
    bias: str | None,
    lr: float | None,
) -> Explanation:
    layers = linear_layers(network)
    x = torch.randn(examples, layers[0][1].in_features, dtype=torch.float64)
    target = drawn_target(loss, examples, layers[-1][1].out_features)
    parameter, entry = place_in(network, weight, bias)
    rate = 0.1 if lr is None else lr
    return explain(network, LOSSES[loss](), x, target, parameter, entry, rate=rate)


def write(text: str, file: Path | None) -> None:
    if file is None:
        print(text, end="")
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise not_writable("--file", file, error) from None
