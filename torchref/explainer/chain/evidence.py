"""What others say of the same derivative: autograd of torch's own functions, and differences."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from torchref.backprop.stack import Layer, Stack
from torchref.catalogue import CATALOGUE
from torchref.checker.oracles.directional_derivative import Slope, central_slope
from torchref.explainer.chain.graph import Graph
from torchref.explainer.chain.viewpoint import Place

ROUND_OFF = 1e-12  # relative, of a product of a few dozen factors in float64
ROUNDINGS = 64  # of the loss, in a forward pass of some layers


@dataclass(frozen=True)
class Evidence:
    """The gradient by the chain rule beside two other ways to it."""

    product: float
    autograd: float
    difference: Slope
    magnitude: float  # of what was added up to it, without signs

    @property
    def verdict(self) -> str:
        """Right, wrong, or "cannot tell" where the loss has no derivative to be found."""
        if not (math.isfinite(self.product) and math.isfinite(self.autograd)):
            return "cannot tell"
        if abs(self.product - self.autograd) > ROUND_OFF * self.magnitude:
            return "wrong"
        if not math.isfinite(self.difference.error):
            return "cannot tell"
        allowed = self.difference.tolerance + ROUND_OFF * self.magnitude
        return "right" if abs(self.product - self.difference.value) <= allowed else "wrong"


def evidence_for(graph: Graph, place: Place, product: float, magnitude: float) -> Evidence:
    nudge = torch.zeros((), dtype=torch.float64, requires_grad=True)
    (autograd,) = torch.autograd.grad(loss_with(graph, place, nudge), nudge)
    slope = central_slope(Nudged(graph, place), magnitude)
    return Evidence(product, autograd.item(), slope, magnitude)


class Nudged:
    """The loss while one entry of a parameter moves."""

    def __init__(self, graph: Graph, place: Place) -> None:
        self.graph, self.place = graph, place

    @torch.no_grad()
    def rise(self, start: float, end: float) -> tuple[float, float]:
        """By how much the loss rises, and what rounding may have done to that."""
        low, high = (
            loss_with(self.graph, self.place, torch.tensor(nudge, dtype=torch.float64)).item()
            for nudge in (start, end)
        )
        return high - low, ROUNDINGS * torch.finfo(torch.float64).eps * max(abs(low), abs(high))


def loss_with(graph: Graph, place: Place, nudge: Tensor) -> Tensor:
    """The loss with `nudge` added to the entry, computed by torch's own functions."""
    stack, y = graph.stack, graph.x
    for layer in stack.layers:
        y = twin(layer)(y, *(nudged(stack, place, x, nudge) for x in layer.operands_for(y)))
    losses = twin(stack.pointwise_loss)(y, graph.target, *stack.pointwise_loss.operands_for(y))
    return twin(stack.reduction)(losses, *stack.reduction.operands_for(losses))


def twin(layer: Layer) -> Callable[..., Tensor]:
    """torch's own function for what the layer computes."""
    entry = CATALOGUE.get(layer.op.__name__)
    return entry.twin if entry else layer.op.forward


def nudged(stack: Stack, place: Place, operand: object, nudge: Tensor) -> object:
    """The operand of a layer, with the nudge if it is the parameter in question."""
    if not isinstance(operand, torch.nn.Parameter) or stack.names[operand] != place.name:
        return operand.detach() if isinstance(operand, Tensor) else operand
    unit = torch.zeros_like(operand)
    unit[place.entry] = 1
    return operand.detach() + nudge * unit
