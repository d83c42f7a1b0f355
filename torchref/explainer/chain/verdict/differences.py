"""The difference of two losses, carried through the layers as a difference.

A dozen sigmoids leave of a step in the first weight a change of the loss that is smaller than its
rounding. So the two losses are never subtracted: what the output of a layer rises by is computed
from what its input rises by, with an identity in which no two near numbers are subtracted. The
slope is known to as many digits at 30 levels as at 2.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from torchref import ops
from torchref.explainer.chain.graph import Graph, Stage, twin
from torchref.explainer.chain.viewpoint import Place

ROUNDINGS = 64  # of a rise, in one layer
FAR = 1.0  # from here on two values are so far apart that they may be subtracted


def sigmoid_rise(z: Tensor, rise: Tensor) -> Tensor:
    """σ(z + rise) − σ(z) = σ(z) σ(−z − rise) (e^rise − 1)."""
    up = z + rise
    near = torch.sigmoid(z) * torch.sigmoid(-up) * torch.expm1(rise.clamp(-FAR, FAR))
    return torch.where(rise.abs() < FAR, near, torch.sigmoid(up) - torch.sigmoid(z))


def tanh_rise(z: Tensor, rise: Tensor) -> Tensor:
    """tanh(z) = 2 σ(2z) − 1."""
    return 2 * sigmoid_rise(2 * z, 2 * rise)


def relu_rise(z: Tensor, rise: Tensor) -> Tensor:
    """All of it above 0, nothing below; across 0 what lies above."""
    both = (z > 0) & (z + rise > 0)
    return torch.where(both, rise, (z + rise).clamp_min(0) - z.clamp_min(0))


def crosses(z: Tensor, rise: Tensor) -> bool:
    """Whether an entry passes from one side of 0 to the other."""
    return bool(((z > 0) != (z + rise > 0)).any())


def softplus_rise(z: Tensor, rise: Tensor) -> Tensor:
    """ln(1 + e^(z + rise)) − ln(1 + e^z) = ln(1 + σ(z) (e^rise − 1))."""
    return torch.log1p(torch.sigmoid(z) * torch.expm1(rise))


def squared_error_rise(x: Tensor, rise: Tensor, target: Tensor) -> Tensor:
    """(x + rise − t)² − (x − t)²."""
    return rise * (2 * (x - target) + rise)


def log_loss_rise(x: Tensor, rise: Tensor, target: Tensor) -> Tensor:
    """−t ln((x + rise)/x) − (1 − t) ln((1 − x − rise)/(1 − x))."""
    positive = torch.where(target == 0, 0, target * torch.log1p(rise / x))
    negative = torch.where(target == 1, 0, (1 - target) * torch.log1p(-rise / (1 - x)))
    return -positive - negative


def logits_rise(x: Tensor, rise: Tensor, target: Tensor, pos_weight: Tensor | None) -> Tensor:
    """p t (softplus(−x − rise) − softplus(−x)) + (1 − t) (softplus(x + rise) − softplus(x))."""
    positive = target if pos_weight is None else pos_weight * target
    return positive * softplus_rise(-x, -rise) + (1 - target) * softplus_rise(x, rise)


def cross_entropy_rise(x: Tensor, rise: Tensor, target: Tensor) -> Tensor:
    """Of Σt · ln Σ e^x the softmax of x weighs the rises: ln Σ softmax(x) e^rise."""
    likely = torch.log1p((x.softmax(dim=1) * torch.expm1(rise)).sum(dim=1))
    return target.sum(dim=1) * likely - (target * rise).sum(dim=1)


ACTIVATIONS: dict[Any, Callable[[Tensor, Tensor], Tensor]] = {
    ops.Sigmoid: sigmoid_rise,
    ops.Tanh: tanh_rise,
    ops.ReLU: relu_rise,
}
LOSSES: dict[Any, Callable[..., Tensor]] = {
    ops.SquaredError: squared_error_rise,
    ops.LogLoss: log_loss_rise,
    ops.LogLossWithLogits: logits_rise,
    ops.SoftmaxCrossEntropy: cross_entropy_rise,
}


class Nudged:
    """The loss while one entry of a parameter moves.

    Rounding is relative to `magnitude`.
    """

    epsilon = torch.finfo(torch.float64).eps

    def __init__(self, graph: Graph, place: Place, magnitude: float) -> None:
        self.graph, self.place = graph, place
        self.noise = ROUNDINGS * self.epsilon
        self.of_layers = self.noise * len(graph.stages) * magnitude
        at = graph.stages.index(place.stage)
        self.above = graph.stages[at + 1 :]
        before = graph.x
        for stage in graph.stages[:at]:
            before = forward(stage, before)
        self.start = forward(place.stage, before)
        self.unit = torch.ones_like(before[:, 0]) if place.i is None else before[:, place.i]

    @torch.no_grad()
    def rise(self, start: float, end: float) -> tuple[float, float]:
        """By how much the loss rises, and what rounding may have done to that.

        Across the kink of a ReLU nothing is known of the slope on either side.
        """
        x, rise = self.start.clone(), torch.zeros_like(self.start)
        x[:, self.place.j] += start * self.unit
        rise[:, self.place.j] = (end - start) * self.unit
        bent = False
        for stage in self.above:
            bent = bent or (stage.layer.op is ops.ReLU and crosses(x, rise))
            bend = ACTIVATIONS.get(stage.layer.op)
            upper = bend(x, rise) if bend else rise @ stage.slopes.T
            x, rise = forward(stage, x), upper
        stack = self.graph.stack
        loss, target = stack.pointwise_loss, self.graph.target
        losses = LOSSES[loss.op](x, rise, target, *loss.operands_for(x))
        total = twin(stack.reduction)(losses, *stack.reduction.operands_for(losses))
        noise = self.of_layers * abs(end - start)
        if loss.op is ops.LogLoss:  # 1 − ŷ has the rounding of ŷ, which may be much of it
            unsure = losses.abs() / torch.minimum(x, 1 - x)
            summed = twin(stack.reduction)(unsure, *stack.reduction.operands_for(unsure))
            noise += self.noise * float(summed)
        return float(total), math.inf if bent else noise


def forward(stage: Stage, x: Tensor) -> Tensor:
    """A layer's output by torch's own function."""
    with torch.no_grad():
        y: Tensor = twin(stage.layer)(x, *stage.layer.operands_for(x))
    return y
