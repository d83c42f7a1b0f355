"""ŷ(1 − ŷ) of the last sigmoid is the denominator of the log loss."""

from dataclasses import dataclass

from torchref import ops
from torchref.explainer.chain.factors import activation_factor, loss_factor, loss_operand
from torchref.explainer.chain.formulas import without_spread
from torchref.explainer.chain.viewpoint import Viewpoint


@dataclass(frozen=True)
class Cancellation:
    """Two factors whose product is simpler than either."""

    before: str
    after: str
    value_before: float
    value_after: float


def cancellation(view: Viewpoint) -> Cancellation | None:
    """What the slopes of loss and output have in common; None where they have nothing."""
    last = view.graph.stages[-1]
    if (view.graph.stack.pointwise_loss.op, last.layer.op) != (ops.LogLoss, ops.Sigmoid):
        return None
    k = view.place.j if view.place.stage.level == view.names.depth else 0
    loss, slope = loss_factor(view, k), activation_factor(view, last, k)
    target, output = view.names.target(k), view.symbol(last, k)
    simple = without_spread(target, output, view.graph.divisor)
    weights: dict[str, float] = {}
    weight = loss_operand(view, "weight", "v", k, weights)
    value = -(loss.symbols[target] - loss.symbols[output]) / view.graph.divisor
    return Cancellation(
        f"{loss.symbol} · {slope.symbol} = {loss.formula} · {slope.formula}",
        f"{weight} · {simple}" if weight else simple,
        loss.value * slope.value,
        value * weights.get(weight, 1.0),
    )
