"""Lecture 002: the Jacobian of all outputs by all parameters, and the cost's gradient out of it.

By hand, by the chain rule written out, and by `torch.func.jacrev`; times 2 (a − y) it is ∇C, which
the sweep finds without it. And the smallest network, two nodes: its slopes with z as a step of its
own, and derived at one go. A figure of the Jacobian goes to TensorBoard and into a PNG file.

    python -m experiments.jacobian
"""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

import torchref.nn as nn
from experiments.lecture.statements import Statements
from torchref.backprop import sweep
from torchref.explainer.chain.notation import Names
from torchref.explainer.charts.drawing import card_figure, of_matplotlib
from torchref.explainer.lectures import LECTURES, numbers
from torchref.explainer.tensorboard import log_explanations, log_figures
from torchref.training import Settings, recorded_run, run_experiment

LECTURE = LECTURES["cost-surface"]
SIZES = 4, 3, 2


def by_hand(network: nn.Module, x: Tensor) -> Tensor:
    """∂a⁽²⁾ₖ/∂θ for every output k and parameter θ, by the chain rule written out.

    With s = σ′(z): ∂a⁽²⁾ₖ/∂w⁽²⁾ⱼₖ = s⁽²⁾ₖ a⁽¹⁾ⱼ, and ∂a⁽²⁾ₖ/∂w⁽¹⁾ᵢⱼ = s⁽²⁾ₖ w⁽²⁾ⱼₖ s⁽¹⁾ⱼ xᵢ.
    """
    w_1, b_1, w_2, b_2 = (parameter.detach() for parameter in network.parameters())
    a_1 = torch.sigmoid(w_1 @ x + b_1)
    a_2 = torch.sigmoid(w_2 @ a_1 + b_2)
    s_1, s_2 = a_1 * (1 - a_1), torch.diag(a_2 * (1 - a_2))
    by_z_1 = s_2 @ w_2 * s_1
    by_w_1 = torch.einsum("kj,i->kji", by_z_1, x)
    by_w_2 = torch.einsum("kj,i->kji", s_2, a_1)
    return torch.cat([by_w_1.flatten(1), by_z_1, by_w_2.flatten(1), s_2], dim=1)


def by_jacrev(network: nn.Module, x: Tensor) -> Tensor:
    def outputs(parameters: dict[str, Tensor]) -> Tensor:
        y: Tensor = torch.func.functional_call(network, parameters, (x,))
        return y

    parameters = {name: p.detach() for name, p in network.named_parameters()}
    blocks = torch.func.jacrev(outputs)(parameters)
    return torch.cat([block.flatten(1) for block in blocks.values()], dim=1)


def state_the_network(stated: Statements, network: nn.Module) -> None:
    """Its Jacobian, and the gradient that follows from it."""
    w_1, b_1, w_2, b_2 = (parameter.numel() for parameter in network.parameters())
    stated.true("4-3-2 has 18 weights", w_1 + w_2 == 18)
    stated.true("and 5 biases", b_1 + b_2 == 5)
    x, y = numbers(LECTURE.x), numbers(LECTURE.target)
    jacobian, a = by_hand(network, x), network(x).detach()
    stated.equal("the Jacobian, 2 × 23, by hand and by jacrev", jacobian, by_jacrev(network, x))
    swept = sweep(network, LECTURE.loss, x[None], y[None])
    gradient = torch.cat([swept.gradients[n].flatten() for n, _ in network.named_parameters()])
    stated.equal("∇C = 2 (a − y)ᵀ times the Jacobian", 2 * (a - y) @ jacobian, gradient)
    stated.equal("C = Σ (aᵢ − yᵢ)²", swept.loss, ((a - y) ** 2).sum())


def state_two_nodes(stated: Statements) -> None:
    """a⁽¹⁾ = σ(w a⁽⁰⁾ + b) and C = (a⁽¹⁾ − y)², with and without z."""
    w, b, a_0, y = numbers((0.7, -0.2, 0.9, 0.4))
    node = nn.SigmoidNetwork((1, 1)).double()
    node.load_state_dict({"linear1.weight": w.reshape(1, 1), "linear1.bias": b.reshape(1)})
    gradients = sweep(node, LECTURE.loss, a_0.reshape(1, 1), y.reshape(1, 1)).gradients
    by_w, by_b = gradients["linear1.weight"], gradients["linear1.bias"]
    z = w * a_0 + b
    a = torch.sigmoid(z)
    c_by_a, a_by_z = 2 * (a - y), a * (1 - a)
    a_by_b = torch.exp(-z) / (1 + torch.exp(-z)) ** 2  # 1 / (1 + e⁻⁽ʷᵃ⁺ᵇ⁾), derived at one go
    stated.equal("∂C/∂w = ∂C/∂a · ∂a/∂w", by_w, c_by_a * a_by_b * a_0)
    stated.equal("∂C/∂w = ∂C/∂a · ∂a/∂z · ∂z/∂w", by_w, c_by_a * a_by_z * a_0)
    stated.equal("∂C/∂b = ∂C/∂a · ∂a/∂b", by_b, c_by_a * a_by_b)
    stated.equal("∂C/∂b = ∂C/∂a · ∂a/∂z · ∂z/∂b", by_b, c_by_a * a_by_z)


def names_of(sizes: tuple[int, ...]) -> tuple[list[str], list[str]]:
    """The outputs and the parameters, as the Jacobian has its rows and columns; without levels."""
    names = Names(replace(LECTURE.notation, levels="none"), sizes)
    parameters = []
    for level, (before, here) in enumerate(pairwise(sizes), start=1):
        parameters += [names.weight(level, i, j) for j in range(here) for i in range(before)]
        parameters += [names.bias(level, j) for j in range(here)]
    return [names.activation(2, k) for k in range(sizes[-1])], parameters


def figure_of(jacobian: Tensor) -> Any:
    """Red where the output rises with the parameter, blue where it falls; in powers of ten."""
    figure, (outputs, parameters) = card_figure(), names_of(SIZES)
    axes, most = figure.subplots(), jacobian.abs().max().item()
    norm = of_matplotlib("matplotlib.colors").SymLogNorm(most / 1000, vmin=-most, vmax=most)
    shades = axes.imshow(jacobian.tolist(), aspect="auto", cmap="RdBu_r", norm=norm)
    bar = figure.colorbar(shades, location="top", label="the slope ∂a/∂w or ∂a/∂b")
    bar.set_ticks([-0.1, -0.01, 0, 0.01, 0.1], labels=["-0.1", "-0.01", "0", "0.01", "0.1"])
    axes.set_yticks(range(len(outputs)), outputs)
    axes.set_xticks(range(len(parameters)), parameters, rotation=90)
    axes.axvline((SIZES[0] + 1) * SIZES[1] - 0.5, color="0.3")
    axes.set(xlabel="w⁽¹⁾ and b⁽¹⁾, then w⁽²⁾ and b⁽²⁾", ylabel="outputs")
    return figure


def main(settings: Settings) -> None:
    """Lecture 002: the Jacobian of all outputs by all parameters, and ∇C out of it."""
    torch.manual_seed(settings.seed)
    network, stated = LECTURE.network(), Statements()
    with recorded_run(settings, "jacobian", "4-3-2") as folder:
        explained = LECTURE.explain(seed=settings.seed)
        print(explained)
        log_explanations(folder, {"w11": explained})
        log_figures(folder, {"jacobian": figure_of(by_hand(network, numbers(LECTURE.x)))})
        state_the_network(stated, network)
        state_two_nodes(stated)
        stated.show()


if __name__ == "__main__":
    run_experiment(main, Settings(), trains=False)
