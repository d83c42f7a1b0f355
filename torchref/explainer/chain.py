"""The chain rule of one entry of a parameter, for one example: its factors and its paths."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from math import prod

import torch
from torch import Tensor

from torchref import ops
from torchref.explainer.formulas import LOSS_SLOPES, SLOPES, without_spread
from torchref.explainer.graph import Graph, Stage
from torchref.explainer.notation import Names, derivative, lowered, raised
from torchref.explainer.parameter import Place


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


@dataclass(frozen=True)
class Path:
    """One way from the parameter to the loss: the neurons passed, the last first, and factors."""

    neurons: tuple[int, ...]
    factors: tuple[Factor, ...]

    @property
    def product(self) -> float:
        return prod(factor.value for factor in self.factors)


@dataclass(frozen=True)
class Delta:
    """δ = ∂L/∂z of every neuron of a level."""

    symbol: str
    formula: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Cancellation:
    """Two factors whose product is simpler than either."""

    before: str
    after: str
    value_before: float
    value_after: float


class Chain:
    """Everything that the chain rule says about one place and one example."""

    def __init__(self, graph: Graph, names: Names, place: Place, example: int) -> None:
        self.graph, self.names, self.place, self.example = graph, names, place, example
        self.above = graph.stages[graph.stages.index(place.stage) + 1 :]

    # What stands where -------------------------------------------------------------------

    def symbol(self, stage: Stage | None, j: int) -> str:
        """The name of neuron j after a stage, or of input j."""
        if stage is None:
            return self.names.input(j)
        last, notation = stage is self.graph.stages[-1], self.names.notation
        logits = self.graph.stack.pointwise_loss.op is ops.LogLossWithLogits
        if last and notation.output and not (logits and stage.is_affine):
            return self.names.output(j)
        if stage.is_affine:
            return self.names.net(stage.level, j)
        return self.names.activation(stage.level, j, stage.times)

    def parameter(self) -> str:
        stage, j, i = self.place.stage, self.place.j, self.place.i
        return self.bias(stage, j) if i is None else self.names.weight(stage.level, i, j)

    def bias(self, stage: Stage, j: int) -> str:
        """The symbol of the bias of a neuron; nothing where it has none."""
        if stage.layer.op is ops.HomogeneousAffine:
            return self.names.weight(stage.level, stage.slopes.shape[1], j)
        return self.names.bias(stage.level, j) if stage.layer.parameters[1] is not None else ""

    def gradient(self) -> str:
        return derivative(self.names.notation.loss, self.parameter())

    def number(self, tensor: Tensor, j: int) -> float:
        return float(tensor[self.example, j])

    # The factors -------------------------------------------------------------------------

    def factors(self) -> tuple[Factor, ...]:
        """The chain: scalar factors where one path leads to the loss, the δ form where many do."""
        if self.path_count == 1:
            return next(self.paths()).factors
        j = self.place.j
        through = [stage for stage in self.above if stage.level == self.place.stage.level]
        inner = [self._activation_factor(stage, j) for stage in reversed(through)]
        return (self._sum_factor(), *inner, self._own_factor())

    @property
    def path_count(self) -> int:
        return prod(stage.slopes.shape[0] for stage in self.above if stage.is_affine)

    def paths(self) -> Iterator[Path]:
        """Every way through the neurons of the levels above, with all its factors."""
        wide = [stage for stage in self.above if stage.is_affine]
        for choice in product(*(range(stage.slopes.shape[0]) for stage in wide)):
            yield Path(tuple(reversed(choice)), self._along((self.place.j, *choice)))

    def _along(self, neurons: tuple[int, ...]) -> tuple[Factor, ...]:
        first = self.place.stage.level
        factors = [self._loss_factor(neurons[-1])]
        for stage in reversed(self.above):
            j = neurons[stage.level - first]
            if stage.is_affine:
                factors.append(self._affine_factor(stage, neurons[stage.level - 1 - first], j))
            else:
                factors.append(self._activation_factor(stage, j))
        return (*factors, self._own_factor())

    def _loss_factor(self, k: int) -> Factor:
        """∂L/∂ŷ."""
        last = self.graph.stages[-1]
        symbols = {
            self.names.target(k): self.number(self.graph.target, k),
            (output := self.symbol(last, k)): self.number(last.after, k),
        }
        weight = self._loss_operand("weight", "v", k, symbols)
        pos_weight = self._loss_operand("pos_weight", "p", k, symbols)
        slope = LOSS_SLOPES[self.graph.stack.pointwise_loss.op]
        formula = slope(self.names.target(k), output, self.graph.divisor, pos_weight)
        return Factor(
            derivative(self.names.notation.loss, output),
            f"{weight} · {formula}" if weight else formula,
            self.number(last.delta, k),
            "loss",
            self._stored_by(last.level, k),
            symbols,
        )

    def _loss_operand(self, name: str, letter: str, k: int, symbols: dict[str, float]) -> str:
        """The symbol of a weight of the loss; nothing where there is none."""
        weight = getattr(self.graph.stack.loss, name, None)
        if weight is None:
            return ""
        symbol = letter + lowered(k + 1)
        symbols[symbol] = self.number(weight.expand(self.graph.target.shape), k)
        return symbol

    def _activation_factor(self, stage: Stage, j: int) -> Factor:
        """∂a/∂z."""
        before = self.graph.before(stage)
        z, a = self.symbol(self.graph.stage_before(stage), j), self.symbol(stage, j)
        return Factor(
            derivative(a, z),
            SLOPES[stage.layer.op](z, a),
            self.number(stage.slopes, j),
            stage.layer.name,
            self._stored_by(stage.level, j),
            {z: self.number(before, j), a: self.number(stage.after, j)},
        )

    def _affine_factor(self, stage: Stage, j: int, k: int) -> Factor:
        """∂z/∂a, from unit j of the level below to neuron k: the weight between them."""
        weight, value = self.names.weight(stage.level, j, k), float(stage.slopes[k, j])
        before = self.symbol(self.graph.stage_before(stage), j)
        return Factor(
            derivative(self.symbol(stage, k), before),
            weight,
            value,
            stage.layer.name,
            self._stored_by(stage.level - 1, j),
            {weight: value},
        )

    def _own_factor(self) -> Factor:
        """∂z/∂w or ∂z/∂b: what the parameter is multiplied with."""
        stage, j, i = self.place.stage, self.place.j, self.place.i
        symbol = derivative(self.symbol(stage, j), self.parameter())
        if i is None:
            return Factor(symbol, "1", 1.0, stage.layer.name, None)
        unit = self.symbol(self.graph.stage_before(stage), i)
        value = self.number(self.graph.before(stage), i)
        return Factor(symbol, unit, value, stage.layer.name, None, {unit: value})

    def _sum_factor(self) -> Factor:
        """∂L/∂a = Σ w δ over the neurons that a goes into."""
        above = next(stage for stage in self.above if stage.is_affine)
        j, level = self.place.j, above.level
        below = self.graph.stage_before(above)
        value = above.delta[self.example] @ above.slopes[:, j]
        return Factor(
            derivative(self.names.notation.loss, self.symbol(below, j)),
            self._sum_from_above(level - 1, j),
            float(value),
            above.layer.name,
            self._stored_by(level - 1, j),
        )

    def _sum_from_above(self, level: int, j: int) -> str:
        """∂L/∂a of neuron j of a level, in the δ of the level above."""
        if self.names.sizes[level + 1] == 1:
            return f"{self.names.weight(level + 1, j, 0)} {self.names.delta(level + 1, 0)}"
        weight = f"{self.names.notation.weight}{raised(level + 1)}{lowered(j + 1)}ₖ"
        return f"(Σₖ {weight} δ{raised(level + 1)}ₖ)"

    def _stored_by(self, level: int, j: int) -> str | None:
        """Of a factor that every parameter of and below neuron j of the level needs: its first.

        The sweep goes from the last level to the first, and in each neuron from the first
        weight to the bias. Whoever comes to a factor first computes it.
        """
        place = self.place
        if (level, j) == (place.stage.level, place.j) and place.is_first_of_its_neuron:
            return None
        return derivative(self.names.notation.loss, self.names.weight(level, 0, j))

    # What the factors come to --------------------------------------------------------------

    def deltas(self) -> tuple[Delta, ...]:
        """The recursion that replaces the sum over paths, from the last level to this one."""
        found = []
        stages = self.graph.stages[self.graph.stages.index(self.place.stage) :]
        for stage in reversed([stage for stage in stages if stage.is_affine]):
            own = [each for each in stages if each.level == stage.level and not each.is_affine]
            slopes = [
                SLOPES[each.layer.op](
                    self.symbol(self.graph.stage_before(each), 0), self.symbol(each, 0)
                )
                for each in own
            ]
            from_above = (
                self._loss_factor(0).symbol
                if stage.level == self.names.depth
                else self._sum_from_above(stage.level, 0)
            )
            values = tuple(stage.delta[self.example].tolist())
            formula = " · ".join([from_above, *slopes])
            found.append(Delta(self.names.delta(stage.level, 0), formula, values))
        return tuple(found)

    def contributions(self) -> Tensor:
        """The part of every example in the gradient: δ times what the parameter multiplies."""
        return self.place.stage.delta[:, self.place.j] * self._multiplied()

    def _multiplied(self) -> Tensor:
        """What the parameter is multiplied with, in every example."""
        i, before = self.place.i, self.graph.before(self.place.stage)
        return torch.ones_like(before[:, 0]) if i is None else before[:, i]

    def magnitude(self) -> float:
        """The sum over all paths and examples without their signs: what rounding is relative to."""
        reach = self.graph.stages[-1].delta.abs()
        for stage in reversed(self.above):
            reach = reach @ stage.slopes.abs() if stage.is_affine else reach * stage.slopes.abs()
        return float((reach[:, self.place.j] * self._multiplied().abs()).sum())

    def cancellation(self) -> Cancellation | None:
        """ŷ(1 − ŷ) of the last sigmoid is the denominator of the log loss."""
        last = self.graph.stages[-1]
        if (self.graph.stack.pointwise_loss.op, last.layer.op) != (ops.LogLoss, ops.Sigmoid):
            return None
        k = self.place.j if self.place.stage.level == self.names.depth else 0
        loss, slope = self._loss_factor(k), self._activation_factor(last, k)
        target, output = self.names.target(k), self.symbol(last, k)
        simple = without_spread(target, output, self.graph.divisor)
        weights: dict[str, float] = {}
        weight = self._loss_operand("weight", "v", k, weights)
        value = -(loss.symbols[target] - loss.symbols[output]) / self.graph.divisor
        return Cancellation(
            f"{loss.symbol} · {slope.symbol} = {loss.formula} · {slope.formula}",
            f"{weight} · {simple}" if weight else simple,
            loss.value * slope.value,
            value * weights.get(weight, 1.0),
        )
