"""How large a derivative is before its parts cancel, and what rounding may have done to it."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from torchref import ops
from torchref.explainer.chain.graph import Stage
from torchref.explainer.chain.viewpoint import Viewpoint

Moved = Callable[[Tensor], Tensor]
Noise = Callable[[Tensor], Tensor]  # of the shape of a tensor

EPSILON = torch.finfo(torch.float64).eps
ULPS = 8  # of an output that two ways to it may differ by
A_LITTLE, DRAWS = 2.0**-26, 4  # a relative change, and how often it is drawn
LEAST = 5e-324  # of float64: what stands for a magnitude that has underflowed

# x and the target are subtracted in the slope of a loss: what it would be if they were added.
WITHOUT_CANCELLING: dict[Any, Callable[[Tensor, Tensor], Tensor]] = {
    ops.SquaredError: lambda x, target: 2 * (x.abs() + target.abs()),
    ops.LogLoss: lambda x, target: (x + target) / (x * (1 - x)),
    ops.LogLossWithLogits: lambda x, target: x.sigmoid() + target,
    ops.SoftmaxCrossEntropy: lambda x, target: x.softmax(1) * target.sum(1, True) + target,
}


def magnitude(view: Viewpoint) -> float:
    """By how much the gradient changes for a relative change of its factors.

    Rounding is relative to it. All factors are changed at random by a little, as rounding changes
    them. Their sum without signs would be a bound, which in wide and deep networks exceeds the
    gradient by so much that any would pass. It is 0 only where a factor of every path is.
    """
    delta, multiplied = view.graph.stages[-1].delta, view.multiplied()

    def gradient(of: Moved) -> float:
        return _swept(view, of(delta), lambda stage: of(stage.slopes), of(multiplied))

    def moved(noise: Noise) -> float:
        return gradient(lambda factors: factors * (1 + A_LITTLE * noise(factors)))

    is_there = gradient(lambda factors: (factors != 0).double()) > 0
    found = _change(view, moved) / A_LITTLE
    return max(found, abs(_as_it_is(view))) or LEAST * is_there


def blur(view: Viewpoint) -> float:
    """What the rounding of outputs does to the slopes, where these lose digits by it.

    1 − a of a saturated sigmoid has few digits of its own, and so has a − y of an output that is
    right. `magnitude` knows nothing of it.
    """
    graph, last = view.graph, view.graph.stages[-1]
    slope = WITHOUT_CANCELLING[graph.stack.pointwise_loss.op](last.after, graph.target)
    of_loss = ULPS * EPSILON * slope / graph.divisor * _most_weight(view)

    def moved(noise: Noise) -> float:
        def slopes(stage: Stage) -> Tensor:
            if stage.is_affine or stage.layer.op is ops.ReLU:
                return stage.slopes
            return stage.slopes + ULPS * EPSILON * stage.after * noise(stage.slopes)

        return _swept(view, last.delta + of_loss * noise(last.delta), slopes, view.multiplied())

    return _change(view, moved)


def _most_weight(view: Viewpoint) -> float:
    """The largest factor that the loss gives an entry."""
    loss = view.graph.stack.loss
    given = (getattr(loss, name, None) for name in ("weight", "pos_weight"))
    most = 1.0
    for weight in given:
        most *= 1.0 if weight is None else max(1.0, float(weight.abs().max()))
    return most


def _change(view: Viewpoint, moved: Callable[[Noise], float]) -> float:
    """How far gradients with some noise are from the one without."""
    generator = torch.Generator().manual_seed(0)

    def noise(like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=generator, dtype=torch.float64)

    gradient = _as_it_is(view)
    changes = [moved(noise) - gradient for _ in range(DRAWS)]
    return math.hypot(*changes) / math.sqrt(DRAWS)


def _as_it_is(view: Viewpoint) -> float:
    delta = view.graph.stages[-1].delta
    return _swept(view, delta, lambda stage: stage.slopes, view.multiplied())


def _swept(
    view: Viewpoint, delta: Tensor, slopes: Callable[[Stage], Tensor], multiplied: Tensor
) -> float:
    """The gradient with these factors, of all examples."""
    for stage in reversed(view.above):
        delta = delta @ slopes(stage) if stage.is_affine else delta * slopes(stage)
    return float((delta[:, view.place.j] * multiplied).sum())
