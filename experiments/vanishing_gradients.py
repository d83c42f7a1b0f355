"""Lecture 003's announced shortcoming: sigmoids in deep hidden layers starve the first ones.

σ′ is a quarter at most, so that δ = ∂L/∂z shrinks at least fourfold a layer wherever the weights
do not make up for it: |δ⁽ˡ⁾| ≤ (¼)ᵈ Π‖W‖ |∂L/∂a⁽ᴸ⁾|, over the d layers from l to the end. Measured
by the sweep on networks of depth 2 to 30, with other initialisations, and with tanh and relu.

    python -m experiments.vanishing_gradients --width 16
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import torch
import typer
from torch import Tensor

import torchref.nn as nn
from experiments.lecture.statements import Statements
from torchref.backprop import delta_bounds, sweep
from torchref.checker.report.table import Output, Table
from torchref.explainer.charts.line_chart import line_chart, logarithms
from torchref.explainer.lectures import vanishing_chain
from torchref.explainer.tensorboard import log_curves, log_sheets
from torchref.training import Settings, recorded_run, resolve_device, run_experiment

DEPTHS = (2, 3, 5, 8, 12, 20, 30)
EXAMPLES = 64
# Powers of ten: on a linear axis, which TensorBoard has, all layers but the last few lie at zero.
REACH, NORM = "gradients/log10_first_over_last", "log10_gradient_norm/depth_{}"
Curves = dict[str, dict[int, float]]


@dataclass(frozen=True)
class Recipe:
    """An activation, its steepest slope, and how the weights start."""

    activation: type[nn.Module]
    steepest: float
    start: Callable[[Tensor], object] = Tensor.detach  # as `Linear` does: uniform within ±1/√n


RECIPES = {
    "sigmoid": Recipe(nn.Sigmoid, 0.25),
    "sigmoid_xavier": Recipe(nn.Sigmoid, 0.25, nn.init.xavier_uniform_),
    "sigmoid_four_times_xavier": Recipe(nn.Sigmoid, 0.25, partial(nn.init.xavier_uniform_, gain=4)),
    "tanh_xavier": Recipe(nn.Tanh, 1.0, nn.init.xavier_uniform_),
    "relu_he": Recipe(nn.ReLU, 1.0, partial(nn.init.kaiming_normal_, nonlinearity="relu")),
}


def measure(
    recipe: Recipe, depth: int, width: int, seed: int, device: torch.device
) -> tuple[list[float], bool]:
    """The norm of ∂L/∂W by layer, the first one first, and whether every |δ| is in its bound."""
    torch.manual_seed(seed)
    network = nn.Sequential()
    for level in range(1, depth + 1):
        network.add_module(f"linear{level}", linear := nn.Linear(width, width))
        recipe.start(linear.weight)
        network.add_module(f"activation{level}", recipe.activation())
    network.to(device, torch.float64)
    x = torch.randn(EXAMPLES, width, dtype=torch.float64).to(device)
    target = torch.rand(EXAMPLES, width, dtype=torch.float64).to(device)
    swept = sweep(network, nn.MSELoss(), x, target)
    deltas = [swept.repository.delta(level).norm().item() for level in range(1, depth + 1)]
    bounds = delta_bounds(network, swept.repository, recipe.steepest)
    within = all(norm <= most * (1 + 1e-12) for norm, most in zip(deltas, bounds, strict=True))
    gradients = (swept.gradients[f"linear{level}.weight"] for level in range(1, depth + 1))
    return [gradient.norm().item() for gradient in gradients], within


def chain_of(depth: int) -> tuple[float, float]:
    """∂a⁽ᴸ⁾/∂z⁽¹⁾ of single neurons with all weights 1, and its bound (¼)ᵈ."""
    network = vanishing_chain(depth)
    x, target = torch.zeros(1, 1).double(), torch.zeros(1, 1).double()
    kept = sweep(network, nn.SquaredError(), x, target).repository
    slope = kept.delta(1) / kept.deltas[f"sigmoid{depth}"]
    return slope.item(), 0.25**depth


def main(
    settings: Settings,
    width: Annotated[int, typer.Option(min=1, help="Neurons a layer.")] = 16,
) -> None:
    """Lecture 003's announced shortcoming, measured: gradient norm by layer and depth."""
    device = resolve_device(settings.device)
    with recorded_run(settings, "vanishing_gradients", f"w{width}") as folder:
        stated, table = Statements(), Table("depth", *RECIPES)
        reaches: Curves = {}
        deepest: Curves = {}
        for name, recipe in RECIPES.items():
            found = {d: measure(recipe, d, width, settings.seed, device) for d in DEPTHS}
            norms = {d: dict(enumerate(by_layer, start=1)) for d, (by_layer, _) in found.items()}
            reach = {d: each[1] / each[d] if each[d] else 0.0 for d, each in norms.items()}
            curves = {NORM.format(d): dict(logarithms(each)) for d, each in norms.items()}
            log_curves(folder / name, {REACH: dict(logarithms(reach)), **curves})
            label = name.replace("four_times", "4x")
            reaches[label], deepest[label] = reach, norms[DEPTHS[-1]]
            bounded = all(within for _, within in found.values())
            stated.true(f"{name}: at every depth every |δ| is within its bound", bounded)
        for depth in DEPTHS:
            table.add_row(str(depth), *(f"{reach[depth]:.1e}" for reach in reaches.values()))
            slope, bound = chain_of(depth)
            stated.true(f"a chain of {depth}: ∂a/∂z⁽¹⁾ = {slope:.1e} ≤ (¼)ᵈ", 0 < slope <= bound)
        reaches["0.25^(depth-1)"] = {depth: 0.25 ** (depth - 1) for depth in DEPTHS}
        sheets = {
            "gradient_norm_by_layer": line_chart(deepest, "layer", f"|dL/dW|, {depth} layers"),
            "first_over_last": line_chart(reaches, "depth", "|dL/dW| of the first over the last"),
        }
        log_sheets(folder, sheets)
        print("The norm of the first layer's gradient over that of the last layer's:")
        Output().print(table)
        stated.show()


if __name__ == "__main__":
    run_experiment(main, Settings(), trains=False)
