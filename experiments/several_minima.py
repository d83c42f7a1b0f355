"""Lecture 002: a cost with several minima, and which of them a descent ends in.

A network whose answer swings to and fro as its first weight grows. The descent is started from
several places; the way of each is drawn, in TensorBoard and as PNG, and its end held to be a
minimum.

    python -m experiments.several_minima
"""

from typing import Any

import torch

import torchref.nn as nn
from experiments.lecture.landscape import Landscape
from experiments.lecture.statements import Statements
from torchref.explainer.charts.drawing import card_figure
from torchref.explainer.lectures import numbers
from torchref.explainer.tensorboard import log_figures
from torchref.training import Settings, recorded_run, run_experiment

RATE, STEPS = 0.5, 3000
STARTS = (-6.0, -4.0, -1.5, -0.5, 0.5, 1.5, 4.0, 6.0)
COLOURS = ("C0", "C1", "C2", "C3", "C4", "C5", "C6", "C9")  # C7 is grey, as the curve is


def curve() -> Landscape:
    """C against the first weight; the other parameters are set for it to be wiggly."""
    network = nn.SigmoidNetwork((1, 1, 6, 1)).double()
    values = {
        "linear1.bias": numbers((0.0,)),
        "linear2.weight": numbers((25.0,) * 6)[:, None],
        "linear2.bias": -25 * (0.1 + 0.16 * torch.arange(6, dtype=torch.float64)),
        "linear3.weight": numbers((6.0, -5.0, 3.0, -4.0, 6.0, -6.0))[None],
        "linear3.bias": numbers((-2.0,)),
    }
    network.load_state_dict(network.state_dict() | values)
    x, y = numbers((0.6,))[None], numbers((0.95,))[None]
    return Landscape(network, nn.SquaredError("sum"), x, y, "linear1.weight")


def descents(cost: Landscape) -> dict[float, list[float]]:
    """For each start the weights that the descent from it visits, down to its minimum."""
    return {start: [w for (w,) in cost.descent((start,), RATE, STEPS)] for start in STARTS}


def statements(cost: Landscape, found: dict[float, list[float]]) -> Statements:
    stated = Statements()
    places = sorted({round(visited[-1], 2) for visited in found.values()})
    stated.true(f"{len(STARTS)} starts end in {len(places)} minima", len(places) == 3)
    for w in places:
        here, (slope,) = cost.at((w,)), cost.slopes_at((w,))
        lowest = min(cost.at((w - 0.2,)), cost.at((w + 0.2,))) > here
        stated.true(f"a minimum at w = {w:.2f}, C = {here:.4f}", lowest and abs(slope) < 1e-2)
    return stated


def figure_of(cost: Landscape, found: dict[float, list[float]]) -> Any:
    """The curve, and on it every weight that a descent visits: a ring where it starts, a star."""
    figure, ws = card_figure(), torch.linspace(min(STARTS) - 0.5, max(STARTS) + 0.5, 400).tolist()
    axes = figure.subplots()
    axes.plot(ws, [cost.at((w,)) for w in ws], color="0.85", linewidth=4)
    for colour, visited in zip(COLOURS, found.values(), strict=True):
        costs = [cost.at((w,)) for w in visited]
        axes.plot(visited, costs, ".", color=colour, markersize=5)
        axes.plot(visited[0], costs[0], "o", color=colour, markerfacecolor="white", markersize=7)
        axes.plot(visited[-1], costs[-1], "k*", markersize=10, zorder=3)
    axes.set(xlabel="w", ylabel="C")
    steps, start, end = axes.lines[1:4]  # of the first descent
    names, tight = ("start", "steps", "end"), {"columnspacing": 1.5, "handletextpad": 0.3}
    figure.legend((start, steps, end), names, loc="outside upper center", ncols=3, **tight)
    return figure


def main(settings: Settings) -> None:
    """Lecture 002: a cost with several minima, and which of them a descent ends in."""
    cost = curve()
    found = descents(cost)
    with recorded_run(settings, "several_minima", "descent") as folder:
        log_figures(folder, {"several_minima": figure_of(cost, found)})
        print(f"The figure is in {folder}.")
        statements(cost, found).show()


if __name__ == "__main__":
    run_experiment(main, Settings(), trains=False)
