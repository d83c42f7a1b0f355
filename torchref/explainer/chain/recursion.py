"""The recursion that replaces the sum over all paths: each level's δ from the one above it."""

from dataclasses import dataclass

from torchref.explainer.chain.factors import loss_factor, sum_from_above
from torchref.explainer.chain.formulas import SLOPES
from torchref.explainer.chain.viewpoint import Viewpoint


@dataclass(frozen=True)
class Delta:
    """δ = ∂L/∂z of every neuron of a level; the formula is that of the first."""

    symbol: str
    formula: str
    values: tuple[float, ...]


def deltas(view: Viewpoint) -> tuple[Delta, ...]:
    """From the last level to that of the place."""
    found = []
    stages = (view.place.stage, *view.above)
    for stage in reversed([stage for stage in stages if stage.is_affine]):
        own = [each for each in stages if each.level == stage.level and not each.is_affine]
        slopes = [
            SLOPES[each.layer.op](
                view.symbol(view.graph.stage_before(each), 0), view.symbol(each, 0)
            )
            for each in own
        ]
        from_above = (
            loss_factor(view, 0).symbol
            if stage.level == view.names.depth
            else sum_from_above(view, stage.level, 0)
        )
        values = tuple(stage.delta[view.example].tolist())
        formula = " · ".join([from_above, *slopes])
        found.append(Delta(view.names.delta(stage.level, 0), formula, values))
    return tuple(found)
