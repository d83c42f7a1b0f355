"""What others say of the same derivative: autograd of torch's own functions, and differences."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from torchref.backprop.stack import Stack
from torchref.checker.oracles.directional_derivative import Slope, central_slope
from torchref.explainer.chain.graph import Graph, twin
from torchref.explainer.chain.verdict.differences import Nudged
from torchref.explainer.chain.verdict.rounding import blur, magnitude
from torchref.explainer.chain.viewpoint import Place, Viewpoint

ROUND_OFF = 1e-12  # relative, of a product of a few dozen factors in float64
UNSURE = 1e-6  # of the magnitude: with a blur of more there is nothing to compare
# What is smaller has lost digits: float64's smallest numbers have fewer than the others.
SMALLEST = torch.finfo(torch.float64).tiny / torch.finfo(torch.float64).eps


@dataclass(frozen=True)
class Evidence:
    """The gradient by the chain rule beside two other ways to it."""

    product: float
    autograd: float
    difference: Slope
    magnitude: float  # see `rounding.magnitude`
    blur: float = 0.0  # see `rounding.blur`

    @property
    def rounding(self) -> float:
        """What rounding may have done to the product, and to autograd's."""
        return ROUND_OFF * self.magnitude + self.blur

    @property
    def verdict(self) -> str:
        """Right, wrong, or "cannot tell", for which there is a `reason`."""
        if self.reason:
            return "cannot tell"
        if abs(self.product - self.autograd) > self.rounding:
            return "wrong"
        allowed = self.difference.tolerance + self.rounding
        return "right" if abs(self.product - self.difference.value) <= allowed else "wrong"

    @property
    def reason(self) -> str:
        """Why nobody can tell; nothing where somebody can."""
        if not (math.isfinite(self.product) and math.isfinite(self.autograd)):
            return "The derivative is not finite, by the factors or by autograd."
        if 0 < self.magnitude < SMALLEST:
            return (
                f"The derivative is below {SMALLEST:.0e}, where float64 has few digits or none: "
                "take fewer levels or larger weights."
            )
        if abs(self.product - self.autograd) > self.rounding:
            return ""  # wrong, whatever the differences say
        is_zero = not (self.product or self.autograd or self.difference.value)
        if self.blur > UNSURE * self.magnitude and not is_zero:
            return (
                "Rounding leaves few digits of the derivative: a sigmoid is saturated, or the "
                "output is nearly the target. Take smaller numbers, or others."
            )
        if not math.isfinite(self.difference.error):
            return (
                "The finite differences do not settle: the loss bends too sharply here, as a ReLU "
                "does at 0. Take smaller numbers, or others."
            )
        return ""


def evidence_for(view: Viewpoint, product: float) -> Evidence:
    graph, place, size = view.graph, view.place, magnitude(view)
    nudge = torch.zeros((), dtype=torch.float64, requires_grad=True)
    (autograd,) = torch.autograd.grad(loss_with(graph, place, nudge), nudge)
    slope = central_slope(Nudged(graph, place, size), size)
    return Evidence(product, autograd.item(), slope, size, blur(view))


def loss_with(graph: Graph, place: Place, nudge: Tensor) -> Tensor:
    """The loss with `nudge` added to the entry, computed by torch's own functions."""
    stack, y = graph.stack, graph.x
    for layer in stack.layers:
        y = twin(layer)(y, *(nudged(stack, place, x, nudge) for x in layer.operands_for(y)))
    losses = twin(stack.pointwise_loss)(y, graph.target, *stack.pointwise_loss.operands_for(y))
    return twin(stack.reduction)(losses, *stack.reduction.operands_for(losses))


def nudged(stack: Stack, place: Place, operand: object, nudge: Tensor) -> object:
    """The operand of a layer, with the nudge if it is the parameter in question."""
    if not isinstance(operand, torch.nn.Parameter) or stack.names[operand] != place.name:
        return operand.detach() if isinstance(operand, Tensor) else operand
    unit = torch.zeros_like(operand)
    unit[place.entry] = 1
    return operand.detach() + nudge * unit
