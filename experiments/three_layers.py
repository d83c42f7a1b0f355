"""Lecture 001: three layers, or any number, and what storing the derivatives saves.

Backpropagation walks from the end. A derivative that was computed once is stored, and each layer
adds only the factors that are new. Here every derivative is computed both ways, number
by number: by the δ that are stored, and by multiplying out every path from the loss to every
weight. Both give autograd's gradient; multiplications are counted and the time is taken, for the
network asked for and for every depth up to it. First the network learns, in as many layers, what
another network answers.

    python -m experiments.three_layers --sizes 2,2,2,1
"""

import re
from dataclasses import replace
from functools import partial
from timeit import repeat
from typing import Annotated

import torch
import typer

import torchref.nn as nn
from experiments.lecture.multiplied_out import local_derivatives, recomputed, stored
from experiments.lecture.statements import Statements
from torchref.checker.report.table import Output, Table
from torchref.errors import InputError
from torchref.explainer.chain.counting import count
from torchref.explainer.chain.notation import raised
from torchref.explainer.lectures import LECTURES
from torchref.explainer.tensorboard import log_curves, log_explanations
from torchref.training import BESIDE_TORCH, Examples, Settings, Task, run_experiment, train

LECTURE = LECTURES["three-layers"]
EXAMPLES = 200
MOST_PATHS = 200_000  # multiplied out in a few seconds
WAYS = {"stored": stored, "recomputed": recomputed}


def sizes_in(text: str) -> tuple[int, ...]:
    fits = re.fullmatch(r"[1-9]\d*(,[1-9]\d*)+", text)
    sizes = tuple(map(int, text.split(","))) if fits else ()
    if not fits or count(sizes, (1,) * (len(sizes) - 1)).recomputed > 50 * MOST_PATHS:
        raise InputError(
            "--sizes must be two or more positive whole numbers with commas between, for a "
            "network whose paths can be multiplied out",
            f"{text!r} arrived",
            "The lecture's network is --sizes 2,2,2,1.",
        )
    return sizes


def answers_of_another(sizes: tuple[int, ...]) -> Examples:
    """Something to learn for any sizes: what a network with larger weights makes of noise."""
    other = nn.SigmoidNetwork(sizes).double()
    x = torch.randn(EXAMPLES, sizes[0], dtype=torch.float64)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.mul_(4)
        return Examples(x, other(x))


def measure(sizes: tuple[int, ...], seed: int, stated: Statements) -> dict[str, float]:
    """Multiplications and microseconds of both ways, whose gradients must be autograd's."""
    torch.manual_seed(seed)
    network = nn.SigmoidNetwork(sizes).double()
    x, target = torch.randn(sizes[0]).double(), torch.rand(sizes[-1]).double().round()
    local = local_derivatives(network, LECTURE.loss, x, target)
    its = torch.autograd.grad(LECTURE.loss(network(x), target), [*network.parameters()])
    autograd = [torch.column_stack(pair) for pair in zip(its[::2], its[1::2], strict=True)]
    name = "-".join(map(str, sizes))
    measured: dict[str, float] = {}
    for way, compute in WAYS.items():
        gradients, multiplications = compute(local)
        for level, (mine, whole) in enumerate(zip(gradients, autograd, strict=True), 1):
            rows = torch.tensor(mine, dtype=torch.float64)
            stated.equal(f"{name}: ∂L/∂w{raised(level)}, ∂L/∂b{raised(level)} {way}", rows, whole)
        measured[f"multiplications/{way}"] = multiplications
        # The least of a few runs: what the machine adds is never negative.
        measured[f"microseconds/{way}"] = 1e6 * min(repeat(partial(compute, local), number=1))
    counts = count(sizes, (1,) * (len(sizes) - 1))
    few, many = (measured[f"multiplications/{way}"] for way in WAYS)
    stated.true(f"{name}: as counted", counts.reused == few)
    stated.true(f"{name}: as counted without", counts.recomputed == many)
    return measured


def main(
    settings: Settings,
    sizes: Annotated[str, typer.Option(help="Neurons by level, inputs first.")] = "2,2,2,1",
) -> None:
    """Lecture 001: three layers, or any number, and what storing the derivatives saves."""
    asked = sizes_in(sizes)
    torch.manual_seed(settings.seed)
    network, examples = nn.SigmoidNetwork(asked), answers_of_another(asked)
    folder = train(Task("three_layers", network, LECTURE.loss, examples), settings).folder
    if folder is None:  # a dry run, or not the first process
        return
    layers = {f"linear{level}": f"linear{level}.weight" for level in (3, 2, 1)}
    found = {name: LECTURE.explain(each, seed=settings.seed) for name, each in layers.items()}
    print(found["linear2"])
    log_explanations(folder, found)
    stated = Statements()
    shapes = {depth: (*asked[:depth], asked[-1]) for depth in range(1, len(asked))}
    measured = {depth: measure(shape, settings.seed, stated) for depth, shape in shapes.items()}
    tags = {tag: {d: values[tag] for d, values in measured.items()} for tag in measured[1]}
    log_curves(folder / "by_depth", tags)
    table = Table("network", "stored", "recomputed", "times as many", "µs", "µs recomputed")
    for depth, shape in shapes.items():
        few, fast, many, slow = measured[depth].values()
        cells = (f"{few:,}", f"{many:,}", f"{many / few:.1f}", f"{fast:.1f}", f"{slow:.1f}")
        table.add_row("-".join(map(str, shape)), *cells)
    Output().print(table)
    stated.show()


if __name__ == "__main__":
    run_experiment(main, replace(BESIDE_TORCH, epochs=300, lr=0.01))
