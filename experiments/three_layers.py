"""Lecture 001: three layers, or any number, and what storing the derivatives saves.

Backpropagation walks from the end. A derivative that was computed once is stored, and each layer
adds only the factors that are new. Here the gradient of every weight is computed both ways, number
by number: by the δ that are stored, and by multiplying out every path from the loss to every
weight. Both give autograd's gradient; multiplications are counted and the time is taken, for the
network asked for and for every depth up to it. First the network learns, in as many layers, what
another network answers.

    python -m experiments.three_layers --sizes 2,2,2,1
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.utils.tensorboard.writer import SummaryWriter

import torchref.nn as nn
from torchref.backprop import sweep
from torchref.errors import InputError
from torchref.explainer.counting import count
from torchref.explainer.lectures import LECTURES
from torchref.explainer.notation import raised
from torchref.explainer.statements import Statements
from torchref.explainer.tensorboard import log_explanations
from torchref.training import Dtype, Examples, Gradients, Settings, Task, run_experiment, train

LECTURE = LECTURES["three-layers"]
EXAMPLES = 200
MOST_PATHS = 200_000  # multiplied out in a few seconds
Matrix = list[list[float]]


@dataclass(frozen=True)
class Numbers:
    """The local derivatives of a network on one example: level l is at index l − 1."""

    weights: list[Matrix]  # ∂z⁽ˡ⁾ₖ/∂a⁽ˡ⁻¹⁾ⱼ = w, as [k][j]
    slopes: Matrix  # ∂a⁽ˡ⁾ⱼ/∂z⁽ˡ⁾ⱼ = a(1 − a)
    below: Matrix  # ∂z⁽ˡ⁾ⱼ/∂wᵢⱼ = a⁽ˡ⁻¹⁾ᵢ
    loss: list[float]  # ∂L/∂ŷₖ


def stored(numbers: Numbers) -> tuple[list[Matrix], int]:
    """Each δ once, from those of the level above; and how many multiplications that took."""
    gradients: list[Matrix] = []
    multiplications, from_above = 0, numbers.loss
    for weight, slopes, below in reversed(
        list(zip(numbers.weights, numbers.slopes, numbers.below, strict=True))
    ):
        delta = [one * slope for one, slope in zip(from_above, slopes, strict=True)]
        gradients.insert(0, [[one * unit for unit in below] for one in delta])
        multiplications += len(delta) + len(delta) * len(below)
        if len(gradients) < len(numbers.weights):  # nothing is below the inputs
            columns = zip(*weight, strict=True)
            from_above = [
                sum(w * d for w, d in zip(column, delta, strict=True)) for column in columns
            ]
            multiplications += len(delta) * len(below)
    return gradients, multiplications


def recomputed(numbers: Numbers) -> tuple[list[Matrix], int]:
    """Each weight on its own: all factors of all its paths, from the loss on."""
    gradients, multiplications = [], 0
    for level, (weight, below) in enumerate(zip(numbers.weights, numbers.below, strict=True)):
        gradient = [[0.0] * len(below) for _ in weight]
        above = [range(len(each)) for each in numbers.slopes[level + 1 :]]
        for j, i, *path in product(range(len(weight)), range(len(below)), *above):
            neurons = [j, *path]
            value = numbers.loss[neurons[-1]]
            for upper in range(len(neurons) - 1, 0, -1):
                at = level + upper
                value *= numbers.slopes[at][neurons[upper]]
                value *= numbers.weights[at][neurons[upper]][neurons[upper - 1]]
                multiplications += 2
            gradient[j][i] += value * numbers.slopes[level][j] * below[i]
            multiplications += 2
        gradients.append(gradient)
    return gradients, multiplications


def numbers_of(network: nn.SigmoidNetwork, x: Tensor, target: Tensor) -> Numbers:
    """What the sweep's repository holds of one example."""
    kept = sweep(network, LECTURE.loss, x[None], target[None]).repository
    levels = range(1, kept.depth + 1)
    return Numbers(
        [network.get_parameter(f"linear{level}.weight").tolist() for level in levels],
        [(kept.a(level) * (1 - kept.a(level)))[0].tolist() for level in levels],
        [kept.a(level - 1)[0].tolist() for level in levels],
        kept.deltas[f"sigmoid{kept.depth}"][0].tolist(),
    )


def timed(way: Callable[[Numbers], tuple[list[Matrix], int]], numbers: Numbers) -> float:
    """The least seconds of a few runs: what the machine adds is never negative."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        way(numbers)
        times.append(time.perf_counter() - start)
    return min(times)


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
    print(LECTURE.explain("linear2.weight", seed=settings.seed))
    log_explanations(
        folder,
        {
            f"linear{level}": LECTURE.explain(f"linear{level}.weight", seed=settings.seed)
            for level in (3, 2, 1)
        },
    )
    stated = Statements()
    table = Table("network", "stored", "recomputed", "times as many", "µs", "µs recomputed")
    with SummaryWriter(str(folder / "by_depth"), purge_step=0) as writer:
        for depth in range(1, len(asked)):
            shorter = (*asked[:depth], asked[-1])
            torch.manual_seed(settings.seed)
            network = nn.SigmoidNetwork(shorter).double()
            x, target = (
                torch.randn(shorter[0]).double(),
                torch.rand(shorter[-1]).double().round(),
            )
            numbers = numbers_of(network, x, target)
            value = LECTURE.loss(network(x), target)
            weights = [p for name, p in network.named_parameters() if "weight" in name]
            autograd = torch.autograd.grad(value, weights)
            name = "-".join(map(str, shorter))
            measured = {}
            for way in (stored, recomputed):
                gradients, multiplications = way(numbers)
                for level, (mine, its) in enumerate(zip(gradients, autograd, strict=True), 1):
                    mine_whole = torch.tensor(mine, dtype=torch.float64)
                    stated.equal(f"{name}: ∂L/∂w{raised(level)} {way.__name__}", mine_whole, its)
                measured[way.__name__] = multiplications, timed(way, numbers)
                writer.add_scalar(f"multiplications/{way.__name__}", multiplications, depth)
                writer.add_scalar(
                    f"microseconds/{way.__name__}", 1e6 * measured[way.__name__][1], depth
                )
            counts = count(shorter, (1,) * depth, bias=False)
            stated.true(f"{name}: as counted", counts.reused == measured["stored"][0])
            stated.true(
                f"{name}: as counted without", counts.recomputed == measured["recomputed"][0]
            )
            (few, fast), (many, slow) = measured["stored"], measured["recomputed"]
            table.add_row(
                name,
                f"{few:,}",
                f"{many:,}",
                f"{many / few:.1f}",
                f"{1e6 * fast:.1f}",
                f"{1e6 * slow:.1f}",
            )
    Console().print(table)
    stated.show()


if __name__ == "__main__":
    both = [Gradients.HANDWRITTEN, Gradients.TORCH]
    run_experiment(main, Settings(dtype=Dtype.FLOAT64, gradients=both, epochs=300, lr=0.01))
