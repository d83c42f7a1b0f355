"""Lecture 003's announced shortcoming: sigmoids in deep hidden layers starve the first ones.

σ′ is a quarter at most, so that δ = ∂L/∂z shrinks at least fourfold a layer wherever the weights
do not make up for it: |δ⁽ˡ⁾| ≤ (¼)ᵈ Π‖W‖ |∂L/∂a⁽ᴸ⁾|, over the d layers from l to the end. Measured
by the sweep on networks of depth 2 to 30, with other initialisations, and with tanh and relu.

    python -m experiments.vanishing_gradients --width 16
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any

import torch
import typer
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.utils.tensorboard.writer import SummaryWriter

import torchref.nn as nn
from torchref.backprop import sweep
from torchref.explainer.statements import Statements
from torchref.explainer.tensorboard import log_figures
from torchref.training import Settings, recorded_run, resolve_device, run_experiment

DEPTHS = (2, 3, 5, 8, 12, 20, 30)
EXAMPLES = 64


def as_torch_does(weight: Tensor) -> None:
    """Uniform within ±1/√n, which `Linear` has done already."""


def he(weight: Tensor) -> None:
    nn.init.kaiming_normal_(weight, nonlinearity="relu")


def four_times_xavier(weight: Tensor) -> None:
    nn.init.xavier_uniform_(weight, gain=4)


@dataclass(frozen=True)
class Recipe:
    """An activation, its steepest slope, and how the weights start."""

    activation: type[nn.Module]
    steepest: float
    start: Callable[[Tensor], object]


RECIPES = {
    "sigmoid": Recipe(nn.Sigmoid, 0.25, as_torch_does),
    "sigmoid_xavier": Recipe(nn.Sigmoid, 0.25, nn.init.xavier_uniform_),
    "sigmoid_four_times_xavier": Recipe(nn.Sigmoid, 0.25, four_times_xavier),
    "tanh_xavier": Recipe(nn.Tanh, 1.0, nn.init.xavier_uniform_),
    "relu_he": Recipe(nn.ReLU, 1.0, he),
}


@dataclass(frozen=True)
class Measured:
    """By layer, the first one first: the norms of ∂L/∂W and of δ, and the bound of the latter."""

    gradient_norms: list[float]
    delta_norms: list[float]
    bounds: list[float]

    @property
    def reach(self) -> float:
        """What arrives at the first layer of what leaves the last."""
        return self.gradient_norms[0] / self.gradient_norms[-1] if self.gradient_norms[-1] else 0.0


def network_of(recipe: Recipe, depth: int, width: int) -> nn.Sequential:
    """Hidden layers of the recipe's activation, and one more linear layer at the end."""
    network = nn.Sequential()
    sizes = [width] * (depth + 1)
    for number, (inputs, outputs) in enumerate(pairwise(sizes), start=1):
        linear = nn.Linear(inputs, outputs)
        recipe.start(linear.weight)
        network.add_module(f"linear{number}", linear)
        network.add_module(f"activation{number}", recipe.activation())
    return network.double()


def measure(recipe: Recipe, depth: int, width: int, seed: int, device: torch.device) -> Measured:
    torch.manual_seed(seed)
    network = network_of(recipe, depth, width).to(device)
    x = torch.randn(EXAMPLES, width, dtype=torch.float64).to(device)
    target = torch.rand(EXAMPLES, width, dtype=torch.float64).to(device)
    swept = sweep(network, nn.MSELoss(), x, target)
    kept = swept.repository
    weights = [network.get_parameter(f"linear{level}.weight") for level in range(1, depth + 1)]
    bounds: list[float] = []
    bound = kept.deltas[f"activation{depth}"].norm().item()
    for weight in reversed([*weights[1:], torch.eye(width)]):
        stretch = torch.linalg.matrix_norm(weight.detach(), 2).item()
        bound *= recipe.steepest * stretch
        bounds.insert(0, bound)
    return Measured(
        [swept.gradients[f"linear{level}.weight"].norm().item() for level in range(1, depth + 1)],
        [kept.delta(level).norm().item() for level in range(1, depth + 1)],
        bounds,
    )


def chain_of(depth: int) -> tuple[float, float]:
    """∂a⁽ᴸ⁾/∂z⁽¹⁾ of single neurons with all weights 1, and its bound (¼)ᵈ."""
    network = nn.SigmoidNetwork((1,) * (depth + 1)).double()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.fill_(1.0 if "weight" in name else -0.5)
    x, target = torch.zeros(1, 1).double(), torch.zeros(1, 1).double()
    kept = sweep(network, nn.SquaredError(), x, target).repository
    slope = kept.delta(1) / kept.deltas[f"sigmoid{depth}"]
    return slope.item(), 0.25**depth


def figure_of(results: dict[str, dict[int, Measured]]) -> Any:
    figure = Figure(figsize=(12, 4.8))
    by_layer, by_depth = figure.subplots(1, 2)
    deepest = max(DEPTHS)
    for name, measured in results.items():
        norms = measured[deepest].gradient_norms
        by_layer.semilogy(range(1, deepest + 1), norms, label=name)
        by_depth.semilogy(DEPTHS, [measured[d].reach for d in DEPTHS], "o-", label=name)
    by_depth.semilogy(DEPTHS, [0.25 ** (d - 1) for d in DEPTHS], "k--", label="(¼)ᵈ")
    by_layer.set(xlabel="layer", ylabel="norm of ∂L/∂W", title=f"{deepest} layers")
    by_depth.set(xlabel="depth", title="first layer's gradient over the last layer's")
    by_depth.legend(fontsize=8)
    return figure


def main(
    settings: Settings,
    width: Annotated[int, typer.Option(min=1, help="Neurons a layer.")] = 16,
) -> None:
    """Lecture 003's announced shortcoming, measured: gradient norm by layer and depth."""
    device = resolve_device(settings.device)
    with recorded_run(settings, "vanishing_gradients", f"w{width}") as folder:
        stated, table = Statements(), Table("depth", *RECIPES)
        results: dict[str, dict[int, Measured]] = {}
        for name, recipe in RECIPES.items():
            results[name] = {d: measure(recipe, d, width, settings.seed, device) for d in DEPTHS}
            with SummaryWriter(str(folder / name), purge_step=0) as writer:
                for depth, measured in results[name].items():
                    writer.add_scalar("gradients/first_over_last", measured.reach, depth)
                    for layer, norm in enumerate(measured.gradient_norms, start=1):
                        writer.add_scalar(f"gradient_norm/depth_{depth}", norm, layer)
            within = (
                norm <= bound * (1 + 1e-12)
                for measured in results[name].values()
                for norm, bound in zip(measured.delta_norms, measured.bounds, strict=True)
            )
            stated.true(f"{name}: at every depth every |δ| is within its bound", all(within))
        for depth in DEPTHS:
            table.add_row(str(depth), *(f"{results[name][depth].reach:.1e}" for name in RECIPES))
            slope, bound = chain_of(depth)
            stated.true(f"a chain of {depth}: ∂a/∂z⁽¹⁾ = {slope:.1e} ≤ (¼)ᵈ", 0 < slope <= bound)
        log_figures(folder, {"gradient_norm_by_layer": figure_of(results)})
        print("The norm of the first layer's gradient over that of the last layer's:")
        Console().print(table)
        stated.show()


if __name__ == "__main__":
    run_experiment(main, Settings())
