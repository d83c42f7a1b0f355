"""The forward pass of one example, number by number, as far as it fits a screen."""

from dataclasses import dataclass

from torchref.explainer.chain import Chain
from torchref.explainer.formulas import VALUES
from torchref.explainer.graph import Stage

MOST_NEURONS, FIRST_FEW = 8, 3  # of a level: all up to so many, or else so many
MOST_TERMS = 4  # of a sum


@dataclass(frozen=True)
class Quantity:
    """A number of the forward pass; without a value it stands for those left out."""

    symbol: str
    formula: str
    value: float | None


def quantities(chain: Chain) -> tuple[Quantity, ...]:
    """Inputs, every z and a in their order, targets and the loss."""
    found: list[Quantity] = []
    inputs = range(chain.graph.x.shape[1])
    found += shortened(
        [Quantity(chain.names.input(i), "", chain.number(chain.graph.x, i)) for i in inputs]
    )
    for stage in chain.graph.stages:
        found += shortened(
            [
                Quantity(
                    chain.symbol(stage, j), formula(chain, stage, j), chain.number(stage.after, j)
                )
                for j in range(stage.after.shape[1])
            ]
        )
    outputs = range(chain.graph.target.shape[1])
    found += shortened(
        [Quantity(chain.names.target(k), "", chain.number(chain.graph.target, k)) for k in outputs]
    )
    loss = Quantity(chain.names.notation.loss, "", float(chain.graph.swept.loss))
    return (*found, loss)


def shortened(level: list[Quantity]) -> list[Quantity]:
    if len(level) <= MOST_NEURONS:
        return level
    return [*level[:FIRST_FEW], Quantity("…", f"{len(level) - FIRST_FEW} more", None)]


def formula(chain: Chain, stage: Stage, j: int) -> str:
    before = chain.graph.stage_before(stage)
    if not stage.is_affine:
        return VALUES[stage.layer.op].format(z=chain.symbol(before, j))
    units = range(stage.slopes.shape[1])
    if len(units) > MOST_TERMS:
        return f"a sum of {len(units)} products"
    terms = [f"{chain.names.weight(stage.level, i, j)}·{chain.symbol(before, i)}" for i in units]
    bias = chain.bias(stage, j)
    return " + ".join([*terms, bias] if bias else terms)
