"""The forward pass of one example, number by number, as far as it fits a screen."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from torchref.explainer.chain.formulas import VALUES
from torchref.explainer.chain.graph import Stage
from torchref.explainer.chain.notation import lowered
from torchref.explainer.chain.viewpoint import Viewpoint

MOST_NEURONS, FIRST_FEW = 8, 3  # of a level: all up to so many, or else so many
MOST_TERMS = 4  # of a sum, or of what stands in parentheses


@dataclass(frozen=True)
class Quantity:
    """A number of the forward pass; without a value it stands for those left out."""

    symbol: str
    formula: str
    value: float | None
    is_said: bool = False  # in words


def quantities(view: Viewpoint) -> tuple[Quantity, ...]:
    """Inputs, every z and a in their order, targets and the loss."""
    graph, names = view.graph, view.names
    inputs, outputs = graph.x.shape[1], graph.target.shape[1]
    found = shortened(inputs, lambda i: Quantity(names.input(i), "", view.number(graph.x, i)))
    for stage in graph.stages:
        found += shortened(stage.after.shape[1], partial(neuron, view, stage))
    if graph.is_cross_entropy:
        likely = graph.stages[-1].after.softmax(dim=1)
        found += shortened(
            outputs,
            lambda k: Quantity(view.probability(k), softmax(view, k), view.number(likely, k)),
        )
    found += shortened(
        outputs, lambda k: Quantity(names.target(k), "", view.number(graph.target, k))
    )
    return (*found, *losses(view))


def losses(view: Viewpoint) -> list[Quantity]:
    """The loss; of several examples that of the one followed, and what is made of them all."""
    graph, letter = view.graph, view.names.notation.loss
    whole = float(graph.swept.loss)
    examples = len(graph.x)
    if examples == 1:
        return [Quantity(letter, "", whole)]
    one = slice(view.example, view.example + 1)
    own = float(graph.stack.loss(graph.stages[-1].after[one], graph.target[one]))
    made = "mean" if graph.is_mean else "sum"
    return [
        Quantity(f"{letter} of example {view.example}", "", own, is_said=True),
        Quantity(letter, f"the {made} over {examples} examples", whole, is_said=True),
    ]


def shortened(count: int, quantity: Callable[[int], Quantity]) -> list[Quantity]:
    """Of a wide level the first few: the others are not even put into words."""
    if count <= MOST_NEURONS:
        return [quantity(i) for i in range(count)]
    left_out = Quantity("…", f"{count - FIRST_FEW} more", None)
    return [*(quantity(i) for i in range(FIRST_FEW)), left_out]


def neuron(view: Viewpoint, stage: Stage, j: int) -> Quantity:
    return Quantity(view.symbol(stage, j), formula(view, stage, j), view.number(stage.after, j))


def formula(view: Viewpoint, stage: Stage, j: int) -> str:
    before = view.graph.stage_before(stage)
    if not stage.is_affine:
        return VALUES[stage.layer.op].format(z=view.symbol(before, j))

    def term(i: int) -> str:
        return f"{view.names.weight(stage.level, i, j)}·{view.symbol(before, i)}"

    bias = view.bias(stage, j)
    return " + ".join(abridged(stage.slopes.shape[1], term) + ([bias] if bias else []))


def softmax(view: Viewpoint, k: int) -> str:
    last = view.graph.stages[-1]
    outputs = abridged(last.after.shape[1], partial(view.symbol, last))
    return f"softmax{lowered(k + 1)}({', '.join(outputs)})"


def abridged(count: int, term: Callable[[int], str]) -> list[str]:
    if count <= MOST_TERMS:
        return [term(i) for i in range(count)]
    return [term(0), term(1), "…", term(count - 1)]
