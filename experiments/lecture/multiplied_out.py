"""Every derivative in two ways, number by number, with every multiplication counted.

`stored` keeps each δ and goes on from it; `recomputed` multiplies out every path from the loss to
every weight and every bias. `counting.count` says beforehand what these two count. The gradient of
a level has a row for each neuron: its weights, and its bias last.
"""

from dataclasses import dataclass
from itertools import product

from torch import Tensor

from torchref import nn
from torchref.backprop import sweep

Matrix = list[list[float]]


@dataclass(frozen=True)
class Derivatives:
    """The local derivatives of a network on one example: level l is at index l − 1."""

    weights: list[Matrix]  # ∂z⁽ˡ⁾ₖ/∂a⁽ˡ⁻¹⁾ⱼ = w, as [k][j]
    slopes: Matrix  # ∂a⁽ˡ⁾ⱼ/∂z⁽ˡ⁾ⱼ = a(1 − a)
    below: Matrix  # ∂z⁽ˡ⁾ⱼ/∂wᵢⱼ = a⁽ˡ⁻¹⁾ᵢ; ∂z⁽ˡ⁾ⱼ/∂bⱼ is 1, and nothing is multiplied with it
    loss: list[float]  # ∂L/∂ŷₖ


def local_derivatives(
    network: nn.SigmoidNetwork, loss: nn.Module, x: Tensor, target: Tensor
) -> Derivatives:
    """What the sweep's repository holds of one example.

    Shapes: x (i), target (o).
    """
    kept = sweep(network, loss, x[None], target[None]).repository
    levels = range(1, kept.depth + 1)
    return Derivatives(
        [network.get_parameter(f"linear{level}.weight").tolist() for level in levels],
        [(kept.a(level) * (1 - kept.a(level)))[0].tolist() for level in levels],
        [kept.a(level - 1)[0].tolist() for level in levels],
        kept.deltas[f"sigmoid{kept.depth}"][0].tolist(),
    )


def stored(local: Derivatives) -> tuple[list[Matrix], int]:
    """Each δ once, from those of the level above; and how many multiplications that took."""
    gradients: list[Matrix] = []
    multiplications, from_above = 0, local.loss
    levels = list(zip(local.weights, local.slopes, local.below, strict=True))
    for weight, slopes, below in reversed(levels):
        delta = [one * slope for one, slope in zip(from_above, slopes, strict=True)]
        gradients.insert(0, [[*(one * unit for unit in below), one] for one in delta])
        multiplications += len(delta) + len(delta) * len(below)
        if len(gradients) < len(levels):  # nothing is below the inputs
            columns = zip(*weight, strict=True)
            from_above = [
                sum(w * d for w, d in zip(column, delta, strict=True)) for column in columns
            ]
            multiplications += len(delta) * len(below)
    return gradients, multiplications


def recomputed(local: Derivatives) -> tuple[list[Matrix], int]:
    """Each weight and bias on its own: all factors of all its paths, from the loss on."""
    gradients, multiplications = [], 0
    for level, (weight, below) in enumerate(zip(local.weights, local.below, strict=True)):
        gradient = [[0.0] * (len(below) + 1) for _ in weight]
        above = [range(len(each)) for each in local.slopes[level + 1 :]]
        for j, i, *path in product(range(len(weight)), range(len(below) + 1), *above):
            neurons = [j, *path]
            value = local.loss[neurons[-1]]
            for upper in range(len(neurons) - 1, 0, -1):
                at = level + upper
                value *= local.slopes[at][neurons[upper]]
                value *= local.weights[at][neurons[upper]][neurons[upper - 1]]
                multiplications += 2
            value *= local.slopes[level][j]
            multiplications += 1
            if i < len(below):
                value *= below[i]
                multiplications += 1
            gradient[j][i] += value
        gradients.append(gradient)
    return gradients, multiplications
