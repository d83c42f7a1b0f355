"""`torchref explain`: the network of a lecture, or one drawn from a seed."""

import math
import re
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import Tensor

from torchref import nn
from torchref.checker.promise import MOST_SEED
from torchref.errors import InputError, not_writable
from torchref.explainer.document.forms import WITHOUT_A_TERMINAL
from torchref.explainer.explanation import explain
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

# How --weight and --bias name one entry of a parameter, counted from 1.
PLACES = {"--weight": (r"(\d+):(\d+),(\d+)", "1:2,1"), "--bias": (r"(\d+):(\d+)", "1:2")}

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
    if name is None:
        network, x, target = drawn(sizes, loss, activation, output, examples, seed)
        place = place_in(network, weight, bias)
        rate = 0.1 if lr is None else lr
        found = explain(network, LOSSES[loss](), x, target, *place, rate=rate)
    else:
        chosen = lecture(name)
        if (sizes, loss, activation, output, examples) != OF_OWN_NETWORKS:
            raise InputError(
                f"{name} has a network, a loss and an example of its own",
                "--sizes, --loss, --activation, --output or --examples was given",
                "Leave out either the lecture or these.",
            )
        found = chosen.explain(*place_in(chosen.network(), weight, bias), seed=seed, rate=lr)
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


def write(text: str, file: Path | None) -> None:
    if file is None:
        print(text, end="")
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise not_writable("--file", file, error) from None


def drawn(
    sizes: str, loss: str, activation: str, output: str | None, examples: int, seed: int
) -> tuple[nn.Sequential, Tensor, Tensor]:
    """A network with layers named as in `SigmoidNetwork`, inputs for it, and targets.

    Targets are classes for the losses that tell them apart, and numbers for the others.
    """
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
    neurons = [int(size) for size in sizes.split(",")]
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


def one_of(option: str, value: str, choices: Iterable[str]) -> None:
    if value not in choices:
        raise InputError(
            f"{option} must be one of {', '.join(choices)}", f"{value!r} arrived", "Choose one."
        )


def place_in(
    network: nn.Sequential, weight: str | None, bias: str | None
) -> tuple[str | None, tuple[int, ...] | None]:
    """The parameter and its entry that LEVEL:FROM,TO or LEVEL:NEURON means; None for neither."""
    if weight is None and bias is None:
        return None, None
    if weight is not None and bias is not None:
        raise InputError("One number is explained", "--weight and --bias were given", "Drop one.")
    option, text = ("--weight", weight) if bias is None else ("--bias", bias)
    pattern, like = PLACES[option]
    match = re.fullmatch(pattern, text or "")
    if match is None:
        raise InputError(
            f"{option} must look like {like}, with numbers from 1",
            f"{text!r} arrived",
            "The level comes before the colon; a weight goes from an input to a neuron.",
        )
    level, *source, neuron = map(int, match.groups())
    layers = [(name, each) for name, each in network.named_children() if [*each.parameters()]]
    name, layer = layers[within(option, "level", level, len(layers))]
    rows, columns = layer.get_parameter("weight").shape
    j = within(option, "neuron of that level", neuron, rows)
    if source:
        return f"{name}.weight", (j, within(option, "input of that level", source[0], columns))
    if isinstance(layer, nn.HomogeneousLinear):
        return f"{name}.weight", (j, layer.in_features)
    return f"{name}.bias", (j,)


def within(option: str, what: str, number: int, count: int) -> int:
    """Counted from 0, as torch does."""
    if not 1 <= number <= count:
        raise InputError(
            f"{option}: the {what} must lie in 1 … {count}",
            f"{number} arrived",
            "Levels, neurons and inputs count from 1, as in the lectures.",
        )
    return number - 1
