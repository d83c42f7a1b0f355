"""The factors of a chain: at the loss, through an activation, through a weight, at the end."""

from dataclasses import dataclass, field

from torchref import ops
from torchref.explainer.chain.formulas import (
    LOSS_SLOPES,
    SLOPES,
    cross_entropy_slope,
    without_spread,
)
from torchref.explainer.chain.graph import Stage
from torchref.explainer.chain.notation import derivative, lowered, lowered_to_each, raised
from torchref.explainer.chain.viewpoint import Viewpoint


@dataclass(frozen=True)
class Factor:
    """One factor of a chain. `stored_by` is the derivative that it was first computed for."""

    symbol: str
    formula: str
    value: float
    layer: str
    stored_by: str | None
    symbols: dict[str, float] = field(default_factory=dict)  # what stands in the formula

    @property
    def is_stored(self) -> bool:
        return self.stored_by is not None


def loss_factor(view: Viewpoint, k: int) -> Factor:
    """∂L/∂ŷ, or ∂L/∂z of logits; before a cross-entropy the softmax of all outputs stands in it."""
    graph, last, target = view.graph, view.graph.stages[-1], view.names.target(k)
    output = view.symbol(last, k)
    symbols = {target: view.number(graph.target, k)}
    if graph.is_cross_entropy:
        likely, whole = view.probability(k), ""
        symbols[likely] = view.number(last.after.softmax(dim=1), k)
        total = float(graph.target[view.example].sum())
        if total != 1:
            whole = f"Σ{view.names.notation.target}"
            symbols[whole] = total
        formula = cross_entropy_slope(target, likely, graph.divisor, whole)
    else:
        symbols[output] = view.number(last.after, k)
        weight = loss_operand(view, "weight", "v", k, symbols)
        pos_weight = loss_operand(view, "pos_weight", "p", k, symbols)
        slope = LOSS_SLOPES[graph.stack.pointwise_loss.op]
        formula = weighed(weight, slope(target, output, graph.divisor, pos_weight))
    return Factor(
        derivative(view.names.notation.loss, output),
        formula,
        view.number(last.delta, k),
        "loss",
        stored_by(view, last.level, k),
        symbols,
    )


def loss_operand(view: Viewpoint, name: str, letter: str, k: int, symbols: dict[str, float]) -> str:
    """The symbol of a weight of the loss, noted among the symbols; nothing where there is none."""
    weight = getattr(view.graph.stack.loss, name, None)
    if weight is None:
        return ""
    symbol = letter + lowered(k + 1)
    symbols[symbol] = view.number(weight.expand(view.graph.target.shape), k)
    return symbol


def weighed(weight: str, formula: str) -> str:
    return f"{weight} · {formula}" if weight else formula


def activation_factor(view: Viewpoint, stage: Stage, j: int) -> Factor:
    """∂a/∂z."""
    z, a = view.symbol(view.graph.stage_before(stage), j), view.symbol(stage, j)
    return Factor(
        derivative(a, z),
        SLOPES[stage.layer.op].format(z=z, a=a),
        view.number(stage.slopes, j),
        stage.layer.name,
        stored_by(view, stage.level, j),
        {z: view.number(view.graph.before(stage), j), a: view.number(stage.after, j)},
    )


def affine_factor(view: Viewpoint, stage: Stage, j: int, k: int) -> Factor:
    """∂z/∂a, from unit j of the level below to neuron k: the weight between them."""
    weight, value = view.names.weight(stage.level, j, k), float(stage.slopes[k, j])
    before = view.symbol(view.graph.stage_before(stage), j)
    return Factor(
        derivative(view.symbol(stage, k), before),
        weight,
        value,
        stage.layer.name,
        stored_by(view, stage.level - 1, j),
        {weight: value},
    )


def joined(one: Factor, other: Factor) -> Factor:
    """Of ∂h/∂σ(h₁) and ∂σ(h₁)/∂h₁ the one factor ∂h/∂h₁."""
    top, bottom = one.symbol.partition("/")[0], other.symbol.rpartition("/")[2]
    return Factor(
        f"{top}/{bottom}",
        f"{one.formula} · {other.formula}",
        one.value * other.value,
        f"{one.layer}, {other.layer}",
        one.stored_by,
        one.symbols | other.symbols,
    )


def own_factor(view: Viewpoint) -> Factor:
    """∂z/∂w or ∂z/∂b: what the parameter is multiplied with."""
    stage, j, i = view.place.stage, view.place.j, view.place.i
    symbol = derivative(view.symbol(stage, j), view.parameter())
    if i is None:
        return Factor(symbol, "1", 1.0, stage.layer.name, None)
    unit = view.symbol(view.graph.stage_before(stage), i)
    value = view.number(view.graph.before(stage), i)
    return Factor(symbol, unit, value, stage.layer.name, None, {unit: value})


def sum_factor(view: Viewpoint) -> Factor:
    """∂L/∂a = Σ w δ over the neurons that a goes into."""
    above = next(stage for stage in view.above if stage.is_affine)
    j, level = view.place.j, above.level
    below = view.graph.stage_before(above)
    value = above.delta[view.example] @ above.slopes[:, j]
    return Factor(
        derivative(view.names.notation.loss, view.symbol(below, j)),
        sum_from_above(view, level - 1, j),
        float(value),
        above.layer.name,
        stored_by(view, level - 1, j),
    )


def sum_from_above(view: Viewpoint, level: int, j: int) -> str:
    """∂L/∂a of neuron j of a level, in the δ of the level above."""
    if view.names.sizes[level + 1] == 1:
        return f"{view.names.weight(level + 1, j, 0)} {view.names.delta(level + 1, 0)}"
    weight = f"{view.names.notation.weight}{raised(level + 1)}{lowered_to_each(j + 1)}"
    return f"(Σₖ {weight} δ{raised(level + 1)}ₖ)"


def stored_by(view: Viewpoint, level: int, j: int) -> str | None:
    """Of a factor that every parameter of and below neuron j of the level needs: its first.

    The sweep goes from the last level to the first, and in each neuron from the first
    weight to the bias. Whoever comes to a factor first computes it.
    """
    place = view.place
    if (level, j, 0) == (place.stage.level, place.j, place.i):
        return None
    return derivative(view.names.notation.loss, view.names.weight(level, 0, j))


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
    weights: dict[str, float] = {}
    weight = loss_operand(view, "weight", "v", k, weights)
    value = -(loss.symbols[target] - loss.symbols[output]) / view.graph.divisor
    return Cancellation(
        f"{loss.symbol} · {slope.symbol} = {loss.formula} · {slope.formula}",
        weighed(weight, without_spread(target, output, view.graph.divisor)),
        loss.value * slope.value,
        value * weights.get(weight, 1.0),
    )
