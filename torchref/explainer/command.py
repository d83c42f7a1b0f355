"""`torchref explain`: the network of a lecture, or one drawn from a seed."""

import math
import re
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor

from torchref import nn
from torchref.checker.promise import MOST_SEED
from torchref.errors import InputError, not_writable
from torchref.explainer.document.text import WITHOUT_A_TERMINAL
from torchref.explainer.explanation import Explanation, explain
from torchref.explainer.lectures import LECTURES, lecture
from torchref.explainer.whole_number_option import whole_number

FORMATS = ("text", "markdown", "latex", "png")
OF_OWN_NETWORKS = "2,2,1", "log", "sigmoid", None, 1  # the defaults of what a lecture settles

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


def linear_layers(network: nn.Sequential) -> list[tuple[str, Any]]:
    """Those with parameters, by name; the lectures number them from 1."""
    return [(name, layer) for name, layer in network.named_children() if list(layer.parameters())]


def place_in(
    network: nn.Sequential, weight: str | None, bias: str | None
) -> tuple[str | None, tuple[int, ...] | None]:
    """The parameter and its entry that LEVEL:FROM,TO and LEVEL:NEURON mean."""
    if weight is not None and bias is not None:
        raise InputError("One number is explained", "--weight and --bias were given", "Drop one.")
    layers = linear_layers(network)
    if weight is not None:
        level, source, neuron = figures("--weight", weight, r"(\d+):(\d+),(\d+)", "1:2,1")
        name, layer = layers[within("--weight", "level", level, len(layers))]
        rows, columns = layer.weight.shape
        j = within("--weight", "neuron of that level", neuron, rows)
        return f"{name}.weight", (j, within("--weight", "input of that level", source, columns))
    if bias is not None:
        level, neuron = figures("--bias", bias, r"(\d+):(\d+)", "1:2")
        name, layer = layers[within("--bias", "level", level, len(layers))]
        j = within("--bias", "neuron of that level", neuron, layer.out_features)
        if isinstance(layer, nn.HomogeneousLinear):
            return f"{name}.weight", (j, layer.in_features)
        return f"{name}.bias", (j,)
    return None, None


def figures(option: str, text: str, pattern: str, like: str) -> list[int]:
    match = re.fullmatch(pattern, text)
    if match is None:
        raise InputError(
            f"{option} must look like {like}, with numbers from 1",
            f"{text!r} arrived",
            "The level comes before the colon; a weight goes from an input to a neuron.",
        )
    return [int(figure) for figure in match.groups()]


def within(option: str, what: str, number: int, count: int) -> int:
    """Counted from 0, as torch does."""
    if not 1 <= number <= count:
        raise InputError(
            f"{option}: the {what} must lie in 1 … {count}",
            f"{number} arrived",
            "Levels, neurons and inputs count from 1, as in the lectures.",
        )
    return number - 1
