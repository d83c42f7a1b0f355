"""A network on some examples as what the chain rule walks over: vectors, and slopes between."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from torchref import nn, ops
from torchref.backprop.stack import Layer, Stack
from torchref.backprop.sweep import Swept, as_tuple, sweep, visit
from torchref.catalogue import CATALOGUE
from torchref.explainer.chain.admission import (
    AFFINE,
    handwritten_copies,
    require_chain,
    require_probabilities,
    require_rows,
    rows,
)
from torchref.ops.losses import divisor

PASSES_ON = (nn.Flatten, nn.Unflatten, nn.Identity)  # on rows of numbers they change nothing


@dataclass(frozen=True, eq=False)
class Stage:
    """One layer: from the numbers before it to the numbers after it, for every example.

    `slopes` is the weight matrix of an affine layer, outputs by inputs and the same for every
    example, and the derivative of an activation, examples by neurons.
    """

    layer: Layer
    level: int
    times: int  # 1 for the first activation of its level, 2 for the second; 0 for the affine layer
    after: Tensor
    slopes: Tensor
    delta: Tensor  # ∂L/∂after

    @property
    def is_affine(self) -> bool:
        return self.times == 0


@dataclass(frozen=True, eq=False)
class Graph:
    """The stages of a network in forward order, and where they start and end."""

    stack: Stack
    swept: Swept
    x: Tensor
    target: Tensor
    stages: tuple[Stage, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Neurons of each level, the inputs first."""
        affine = [stage for stage in self.stages if stage.is_affine]
        return (self.x.shape[1], *(stage.after.shape[1] for stage in affine))

    @property
    def activations(self) -> tuple[int, ...]:
        """How many activations follow the affine layer of each level."""
        return tuple(
            sum(stage.level == level and not stage.is_affine for stage in self.stages)
            for level in range(1, len(self.sizes))
        )

    @property
    def divisor(self) -> int:
        """What the reduction of the loss divides by."""
        values = len(self.target) if self.is_cross_entropy else self.target.numel()
        return divisor(values, str(self.stack.loss.reduction))

    @property
    def is_mean(self) -> bool:
        """Whether the loss is the mean of the examples' losses, or else their sum."""
        return str(self.stack.loss.reduction).endswith("mean")

    @property
    def is_cross_entropy(self) -> bool:
        """Whether all outputs of an example make one value of the loss."""
        return self.stack.pointwise_loss.op is ops.SoftmaxCrossEntropy

    def stage_before(self, stage: Stage) -> Stage | None:
        """None before the first: there are the inputs."""
        at = self.stages.index(stage)
        return self.stages[at - 1] if at else None

    def before(self, stage: Stage) -> Tensor:
        earlier = self.stage_before(stage)
        return earlier.after if earlier else self.x


def graph_of(network: nn.Module, loss: nn.Module, x: Tensor, target: Tensor) -> Graph:
    """Sweep a copy of the network in float64, and read the graph out of the repository.

    Raises `InputError` for a network that is not layered, and for what the sweep refuses.
    """
    network, loss = handwritten_copies(network, loss)
    require_probabilities(loss, x, target)
    x, target = rows("x", x), rows("target", target)
    stack = Stack(network, loss)
    layers = [layer for layer in stack.layers if not isinstance(layer.module, PASSES_ON)]
    require_chain(layers, x)
    swept = sweep(network, loss, x, target)
    require_rows(swept, (*layers, stack.layers[-1]))
    stages: list[Stage] = []
    level, times, before = 0, 0, x
    for layer in layers:
        after, delta = swept.repository.outputs[layer.name], swept.repository.deltas[layer.name]
        if layer.op in AFFINE:
            level, times = level + 1, 0
            slopes = layer.module.get_parameter("weight").detach()[:, : before.shape[1]]
        else:
            times += 1
            slopes = activation_slopes(layer, before)
        stages.append(Stage(layer, level, times, after, slopes, delta))
        before = after
    return Graph(stack, swept, x, target, tuple(stages))


def activation_slopes(layer: Layer, x: Tensor) -> Tensor:
    """∂y/∂x entry by entry, by the op's own backward."""
    with torch.no_grad():
        y, context = visit(layer, True, x)
        slopes, *_ = as_tuple(layer.op.backward(context, torch.ones_like(y)))
    assert slopes is not None
    return slopes


def twin(layer: Layer) -> Callable[..., Tensor]:
    """torch's own function for what the layer computes."""
    entry = CATALOGUE.get(layer.op.__name__)
    return entry.twin if entry else layer.op.forward
