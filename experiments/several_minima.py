"""Lecture 002: a cost with several minima, and which of them a descent ends in.

A network whose answer swings to and fro as its first weight grows. The descent is started from
several places; where each ends is drawn, in TensorBoard and as PNG, and held to be a minimum.

    python -m experiments.several_minima
"""

from typing import Any

import torch

import torchref.nn as nn
from experiments.lecture.landscape import Landscape
from experiments.lecture.statements import Statements
from torchref.explainer.charts.drawing import new_figure
from torchref.explainer.lectures import numbers
from torchref.explainer.tensorboard import log_figures
from torchref.training import Settings, recorded_run, run_experiment

STARTS = (-6.0, -4.0, -1.5, -0.5, 0.5, 1.5, 4.0, 6.0)


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


def minima(cost: Landscape) -> dict[float, float]:
    """For each start the minimum that the descent from it ends in."""
    return {start: cost.descent((start,), 2.0, 3000)[-1][0] for start in STARTS}


def statements(cost: Landscape, found: dict[float, float]) -> Statements:
    stated = Statements()
    places = sorted({round(w, 2) for w in found.values()})
    stated.true(f"{len(STARTS)} starts end in {len(places)} minima", len(places) == 3)
    for w in places:
        here, (slope,) = cost.at((w,)), cost.slopes_at((w,))
        lowest = min(cost.at((w - 0.2,)), cost.at((w + 0.2,))) > here
        stated.true(f"a minimum at w = {w:.2f}, C = {here:.4f}", lowest and abs(slope) < 1e-2)
    return stated


def figure_of(cost: Landscape, found: dict[float, float]) -> Any:
    figure, ws = new_figure(7, 4.5), torch.linspace(min(STARTS), max(STARTS), 600).tolist()
    axes = figure.subplots()
    axes.plot(ws, [cost.at((w,)) for w in ws])
    for number, (start, end) in enumerate(found.items(), start=1):
        first, last = (cost.at((w,)) for w in (start, end))
        axes.plot([start, end], [first, last], "o--", color=f"C{number}", linewidth=0.8)
        axes.plot([end], [last], "*", markersize=12, color=f"C{number}")
    axes.set(title="Several minima, and the starts that lead there", xlabel="w", ylabel="C")
    return figure


def main(settings: Settings) -> None:
    """Lecture 002: a cost with several minima, and which of them a descent ends in."""
    cost = curve()
    found = minima(cost)
    with recorded_run(settings, "several_minima", "descent") as folder:
        log_figures(folder, {"several_minima": figure_of(cost, found)})
        print(f"The figure is in {folder}.")
        statements(cost, found).show()


if __name__ == "__main__":
    run_experiment(main, Settings(), trains=False)
