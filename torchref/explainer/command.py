"""`torchref explain`: the network of a lecture, or one drawn from a seed."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from torchref.errors import InputError, known, not_writable
from torchref.explainer.all_derivatives import MOST_ITERATIONS, Derivatives, explain_all
from torchref.explainer.charts.sheet import form_of
from torchref.explainer.document.forms import WITHOUT_A_TERMINAL
from torchref.explainer.explanation import Explanation, explain
from torchref.explainer.given.drawn import ACTIVATIONS, LOSSES, MOST_LEVELS, drawn
from torchref.explainer.given.numbers import own_numbers
from torchref.explainer.given.place import place_in
from torchref.explainer.given.weights import KINDS, load_weights
from torchref.explainer.lectures import LECTURES, LEVELS, VANISHING, lecture
from torchref.explainer.number_options import Seed, whole_number

FORMATS = ("text", "markdown", "latex", "png")
OF_OWN_NETWORKS = "2,2,1", "log", "sigmoid", None, 1  # the defaults of what a lecture settles

EPILOG = (
    "Exit status: 0 the verdict is right, 1 it is not, 2 bad usage.\n\n"
    "Examples:\n\n`torchref explain two-neuron-chain`\n\n"
    "`torchref explain log-loss-network --all`\n\n"
    "`torchref explain --sizes 4,3,2 --loss squared --weight 1:2,3`\n\n"
    "`torchref explain vanishing-gradients --levels 30`\n\n"
    "`torchref explain iris --x 0.1,-0.5,1,0.3 --target 0,1`\n\n"
    "`torchref explain matrix-form --format png --file chain.png`\n\n"
    "`torchref explain log-loss-network --drawing network.svg`"
)


def explain_command(
    name: Annotated[
        str | None,
        typer.Argument(metavar="LECTURE", help=f"One of {', '.join(LECTURES)}, or 000 to 004."),
    ] = None,
    sizes: Annotated[str, typer.Option(help="Neurons by level, inputs first.")] = "2,2,1",
    loss: Annotated[str, typer.Option(help=f"One of {', '.join(LOSSES)}.")] = "log",
    activation: Annotated[
        str, typer.Option(help=f"Of the hidden levels: {', '.join(ACTIVATIONS)}.")
    ] = "sigmoid",
    output: Annotated[
        str | None, typer.Option(help="Of the last level; left out, what fits the loss.")
    ] = None,
    examples: Annotated[int, whole_number(1, help="How many examples to draw: 1 or more.")] = 1,
    weight: Annotated[
        str | None, typer.Option(metavar="LEVEL:FROM,TO", help="A weight, counted from 1.")
    ] = None,
    bias: Annotated[
        str | None, typer.Option(metavar="LEVEL:NEURON", help="A bias, counted from 1.")
    ] = None,
    x: Annotated[
        str | None,
        typer.Option(metavar="NUMBERS", help="One's own inputs, as 0.1,0.2; examples divided by ;"),
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="NUMBERS", help="One's own targets, written as --x is.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help=f"One's own weights and biases: {KINDS}.")
    ] = None,
    levels: Annotated[
        int | None,
        whole_number(
            1, MOST_LEVELS, help=f"Of {VANISHING}: 1 to {MOST_LEVELS}.  [default: {LEVELS}]"
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every derivative, what is stored, and what reuses it.")
    ] = False,
    iterations: Annotated[
        int,
        whole_number(
            1,
            MOST_ITERATIONS,
            help=f"Steps of the descent that --all shows: 1 to {MOST_ITERATIONS}.",
        ),
    ] = 1,
    lr: Annotated[float | None, typer.Option(help="The learning rate of the update.")] = None,
    seed: Seed = 0,
    form: Annotated[str, typer.Option("--format", help=f"{', '.join(FORMATS)}.")] = "text",
    file: Annotated[Path | None, typer.Option(help="Where to write it; a png needs one.")] = None,
    drawing: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw the network too, with its values and gradients: .svg or .png.",
        ),
    ] = None,
) -> None:
    """The chain rule of one weight: its factors, their numbers, what is reused, and a verdict."""
    known(form, FORMATS, "--format", "Leave it out for text.")
    if drawing is not None:
        form_of(drawing)
    if lr is not None and not (math.isfinite(lr) and lr > 0):
        raise InputError("--lr must be a positive number", f"{lr} arrived", "0.1 is a usual one.")
    require_one_question(every, weight or bias, iterations)
    if levels is not None and name != VANISHING:
        raise InputError(
            f"--levels must go with {VANISHING}, whose depth is to be chosen",
            f"{name or 'no lecture'} arrived with it",
            "The network of --sizes has as many levels as sizes are given after the inputs.",
        )
    if name is None:
        if x is not None:
            examples = given_examples(x, examples)
        network, its_x, its_target = drawn(sizes, loss, activation, output, examples, seed)
        judged, rate, notation = LOSSES[loss](), 0.1, None
    else:
        chosen = lecture(name, levels)
        if (sizes, loss, activation, output, examples) != OF_OWN_NETWORKS:
            raise InputError(
                f"{name} has a network, a loss and an example of its own",
                "--sizes, --loss, --activation, --output or --examples was given",
                "Leave out either the lecture or these.",
            )
        network, its_x, its_target = chosen.drawn(seed)
        judged, rate, notation = chosen.loss, chosen.rate, chosen.notation
    if weights is not None:
        load_weights(network, weights)
    examples_x, examples_target = own_numbers(its_x, its_target, (x, target))
    problem = network, judged, examples_x, examples_target
    rate = rate if lr is None else lr
    place = place_in(network, weight, bias)
    found: Derivatives | Explanation
    if every:
        found = explain_all(*problem, rate=rate, iterations=iterations, notation=notation)
    else:
        found = explain(*problem, *place, rate=rate, notation=notation)
    if drawing is not None:  # before the text, which no refusal may follow
        found.drawing().save(drawing)
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


def require_one_question(every: bool, place: str | None, iterations: int) -> None:
    if every and place is not None:
        raise InputError(
            "--all explains every weight and bias", "one was named beside it", "Leave out one."
        )
    if iterations > 1 and not every:
        raise InputError(
            "--iterations must go with --all, which shows every number of each",
            f"--iterations {iterations} arrived alone",
            "Add --all.",
        )


def given_examples(x: str, examples: int) -> int:
    """How many there are in --x, which --examples may repeat."""
    given = x.count(";") + 1
    if examples not in (1, given):
        raise InputError(
            "--examples says how many are drawn, and --x how many there are",
            f"--examples {examples} arrived beside {given} in --x",
            "Leave out one of them.",
        )
    return given


def write(text: str, file: Path | None) -> None:
    if file is None:
        print(text, end="")
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise not_writable("--file", file, error) from None
