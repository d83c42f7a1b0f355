"""The forward pass of one example, number by number, as far as it fits a screen."""

from dataclasses import dataclass

from torchref.explainer.formulas import VALUES
from torchref.explainer.graph import Stage
from torchref.explainer.notation import lowered
from torchref.explainer.viewpoint import Viewpoint

MOST_NEURONS, FIRST_FEW = 8, 3  # of a level: all up to so many, or else so many
MOST_TERMS = 4  # of a sum, or of what stands in parentheses


@dataclass(frozen=True)
class Quantity:
    """A number of the forward pass; without a value it stands for those left out."""

    symbol: str
    formula: str
    value: float | None


def quantities(view: Viewpoint) -> tuple[Quantity, ...]:
    """Inputs, every z and a in their order, targets and the loss."""
    found: list[Quantity] = []
    inputs = range(view.graph.x.shape[1])
    found += shortened(
        [Quantity(view.names.input(i), "", view.number(view.graph.x, i)) for i in inputs]
    )
    for stage in view.graph.stages:
        found += shortened(
            [
                Quantity(
                    view.symbol(stage, j), formula(view, stage, j), view.number(stage.after, j)
                )
                for j in range(stage.after.shape[1])
            ]
        )
    outputs = range(view.graph.target.shape[1])
    if view.graph.is_cross_entropy:
        likely = view.graph.stages[-1].after.softmax(dim=1)
        found += shortened(
            [
                Quantity(view.probability(k), softmax(view, k), view.number(likely, k))
                for k in outputs
            ]
        )
    found += shortened(
        [Quantity(view.names.target(k), "", view.number(view.graph.target, k)) for k in outputs]
    )
    loss = Quantity(view.names.notation.loss, "", float(view.graph.swept.loss))
    return (*found, loss)


def shortened(level: list[Quantity]) -> list[Quantity]:
    if len(level) <= MOST_NEURONS:
        return level
    return [*level[:FIRST_FEW], Quantity("…", f"{len(level) - FIRST_FEW} more", None)]


def formula(view: Viewpoint, stage: Stage, j: int) -> str:
    before = view.graph.stage_before(stage)
    if not stage.is_affine:
        return VALUES[stage.layer.op].format(z=view.symbol(before, j))
    units = range(stage.slopes.shape[1])
    terms = [f"{view.names.weight(stage.level, i, j)}·{view.symbol(before, i)}" for i in units]
    bias = view.bias(stage, j)
    return " + ".join(abridged(terms) + ([bias] if bias else []))


def softmax(view: Viewpoint, k: int) -> str:
    last = view.graph.stages[-1]
    outputs = [view.symbol(last, each) for each in range(last.after.shape[1])]
    return f"softmax{lowered(k + 1)}({', '.join(abridged(outputs))})"


def abridged(terms: list[str]) -> list[str]:
    return terms if len(terms) <= MOST_TERMS else [*terms[:2], "…", terms[-1]]
