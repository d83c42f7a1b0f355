"""Lecture 002: the cost as a curve with its slope, and as a surface with the way down.

Two figures, in TensorBoard and as PNG: the cost against one weight with its slope at w₀ and the
step downhill, and the cost over two weights with the path of the descent. What the lecture says of
them is held against what is computed. First its 4-3-2 network learns its flowers, beside torch.

    python -m experiments.cost_surface
"""

from dataclasses import replace
from typing import Any

import torch

import torchref.nn as nn
from experiments import iris
from experiments.lecture.landscape import Landscape
from experiments.lecture.statements import Statements
from torchref.explainer.charts.drawing import card_figure
from torchref.explainer.lectures import numbers
from torchref.explainer.tensorboard import log_figures
from torchref.training import BESIDE_TORCH, Settings, run_experiment, train

COST = nn.SquaredError("sum")
W_0 = (3.0,)
START, RATE, STEPS = (0.0, 6.0), 0.5, 600  # of the descent over two weights


def curve() -> Landscape:
    """The smallest case: two nodes, a⁽¹⁾ = σ(w a⁽⁰⁾ + b), and three examples of C = (a − y)²."""
    network = nn.SigmoidNetwork((1, 1)).double()
    nn.init.constant_(network.get_parameter("linear1.bias"), -0.5)
    x, y = numbers((0.5, 1.0, 2.0))[:, None], numbers((0.4, 0.6, 0.8))[:, None]
    return Landscape(network, COST, x, y, "linear1.weight")


def surface() -> Landscape:
    """The cost over both weights of a chain of two neurons, on four examples."""
    torch.manual_seed(0)
    network = nn.SigmoidNetwork((1, 1, 1)).double()
    x, y = numbers((-2.0, -0.5, 1.0, 2.0))[:, None], numbers((0.8, 0.6, 0.3, 0.1))[:, None]
    return Landscape(network, COST, x, y, "linear1.weight", "linear2.weight")


def statements() -> Statements:
    stated, one, both = Statements(), curve(), surface()
    (slope,) = one.slopes_at(W_0)
    lower = one.at((W_0[0] - 0.1 * slope,)) < one.at(W_0)
    stated.true("where the slope is positive, lowering w lowers C", slope > 0 and lower)
    best, *_ = one.descent(W_0, 1.0, 3000)[-1]
    dearer = one.at((best - 1,)) > one.at((best,)) < one.at((best + 1,))
    stated.true("too small and too large a w is costly", dearer)
    costs = [both.at(point) for point in both.descent(START, RATE, STEPS)]
    stated.true("each step of the descent lowers C", costs == sorted(costs, reverse=True))
    return stated


def curve_figure() -> Any:
    figure, cost, (w_0,) = card_figure(), curve(), W_0
    axes, ws = figure.subplots(), torch.linspace(-6, 6, 200).tolist()
    here, (slope,) = cost.at(W_0), cost.slopes_at(W_0)
    near, after = (w_0 - 1.5, w_0 + 1.5), w_0 - 5 * slope
    axes.plot(ws, [cost.at((w,)) for w in ws], label="C(w)")
    axes.plot(near, [here + slope * (w - w_0) for w in near], label=f"slope {slope:.3f}")
    arrow = {"arrowstyle": "->", "color": "C3"}
    axes.annotate("", (after, cost.at((after,))), (w_0, here), arrowprops=arrow)
    axes.plot([w_0], [here], "o", color="C3", label="$w_0$, and the step downhill")
    axes.set(xlabel="w", ylabel="C")
    axes.legend(fontsize="small")
    return figure


def surface_figure() -> Any:
    figure, cost, axis = card_figure(), surface(), torch.linspace(-8, 8, 61).tolist()
    axes, path = figure.subplots(), cost.descent(START, RATE, STEPS)
    shades = axes.contourf(axis, axis, cost.over(axis, axis).tolist(), levels=30)
    figure.colorbar(shades, label="C", ticks=[0, 0.5, 1, 1.5])
    axes.plot(*zip(*path, strict=True), "w.-", markersize=2, linewidth=0.8)
    axes.plot(*path[0], "wo", markeredgecolor="k", markersize=7, label="start")
    axes.plot(*path[-1], "r*", markersize=12, label="end")
    ticks = range(-8, 9, 4)
    axes.set(xlabel="$w_1$", ylabel="$w_2$", xticks=ticks, yticks=ticks)
    figure.legend(loc="outside upper center", ncols=2, columnspacing=1.5, handletextpad=0.3)
    return figure


def main(settings: Settings) -> None:
    """Lecture 002: the cost as a curve with its slope, and as a surface with the way down."""
    folder = train(replace(iris.task(settings.seed), name="cost_surface"), settings).folder
    if folder is None:  # a dry run, or not the first process
        return
    log_figures(folder, {"one_weight": curve_figure(), "surface": surface_figure()})
    print(f"The figures are in {folder}.")
    statements().show()


if __name__ == "__main__":
    run_experiment(main, replace(BESIDE_TORCH, epochs=100, lr=0.02))
