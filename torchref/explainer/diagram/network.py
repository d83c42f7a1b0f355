"""What is drawn of a network: neurons and weights with their values and gradients."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from torchref.explainer.chain.factors import activation_factor, loss_factor
from torchref.explainer.chain.graph import Stage
from torchref.explainer.chain.notation import derivative
from torchref.explainer.chain.paths import Path
from torchref.explainer.chain.viewpoint import Viewpoint
from torchref.explainer.diagram.selection import Most, chosen


@dataclass(frozen=True)
class Number:
    """A value under its symbol."""

    symbol: str
    value: float


@dataclass(frozen=True)
class Node:
    """A neuron, an input, or the constant 1 that a bias is multiplied with (no `unit`).

    `values` are z and a, `slopes` ∂a/∂z, `gradients` δ = ∂L/∂z; of an input there is x alone.
    """

    unit: int | None
    values: tuple[Number, ...]
    slopes: tuple[Number, ...] = ()
    gradients: tuple[Number, ...] = ()
    on_path: bool = False


@dataclass(frozen=True)
class Edge:
    """A weight, or a bias, which comes from the constant; into the loss there is a gradient alone.

    `source` and `target` are units of the column before and of the one that the edge leads to.
    """

    source: int | None
    target: int
    value: Number | None
    gradient: Number
    on_path: bool


@dataclass(frozen=True)
class Column:
    """A level: the neurons that are drawn, of `size`, and the edges into them.

    There are edges only where the level before is drawn.
    """

    level: int
    size: int
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...] = ()


@dataclass(frozen=True)
class Diagram:
    """The levels that are drawn, of `depth` and the inputs, and the loss with edges into it."""

    depth: int
    columns: tuple[Column, ...]
    loss: tuple[Number, ...]
    into_loss: tuple[Edge, ...]


class Draughtsman:
    """Reads a diagram out of a network on one example."""

    def __init__(self, view: Viewpoint, path: Path | None, most: Most) -> None:
        self.view, self.path = view, path
        self.affine = [stage for stage in view.graph.stages if stage.is_affine]
        self.reached = reached(view, path)
        place = view.place.stage.level
        self.levels = chosen(view.names.depth + 1, most.levels, (place - 1, place))
        self.units = {level: self.units_of(level, most.units) for level in self.levels}

    def units_of(self, level: int, most: int) -> tuple[int, ...]:
        place = self.view.place
        ends = {(place.stage.level, place.j), (place.stage.level - 1, place.i)}
        wanted = {unit for at, unit in ends if at == level and unit is not None}
        if self.path is not None:
            wanted |= self.reached.get(level, frozenset())
        return chosen(self.view.names.sizes[level], most, wanted)

    def diagram(self) -> Diagram:
        view, depth = self.view, self.view.names.depth
        outputs = self.units[depth]
        loss = Number(view.names.notation.loss, float(view.graph.swept.loss))
        targets = (Number(view.names.target(k), view.number(view.graph.target, k)) for k in outputs)
        return Diagram(
            depth,
            tuple(map(self.column, self.levels)),
            (loss, *targets),
            tuple(map(self.into_loss, outputs)),
        )

    def into_loss(self, k: int) -> Edge:
        factor = loss_factor(self.view, k)
        on_path = k in self.reached[self.view.names.depth]
        return Edge(k, 0, None, Number(factor.symbol, factor.value), on_path)

    def column(self, level: int) -> Column:
        nodes = [self.node(level, unit) for unit in self.units[level]]
        if level < len(self.affine) and self.view.bias(self.affine[level], 0):
            own = (self.view.place.stage.level, self.view.place.i) == (level + 1, None)
            nodes.append(Node(None, (Number("", 1.0),), on_path=own))
        edges = tuple(self.edges(level)) if level - 1 in self.levels else ()
        return Column(level, self.view.names.sizes[level], tuple(nodes), edges)

    def node(self, level: int, unit: int) -> Node:
        view, place = self.view, self.view.place
        if level == 0:
            own = (place.stage.level, place.i) == (1, unit)
            x = Number(view.names.input(unit), view.number(view.graph.x, unit))
            return Node(unit, (x,), on_path=own)
        stages = [stage for stage in view.graph.stages if stage.level == level]
        slopes = (activation_factor(view, stage, unit) for stage in stages[1:])
        delta = Number(view.names.delta(level, unit), view.number(stages[0].delta, unit))
        is_source = (place.stage.level, place.i) == (level + 1, unit)
        return Node(
            unit,
            tuple(Number(view.symbol(s, unit), view.number(s.after, unit)) for s in stages),
            tuple(Number(slope.symbol, slope.value) for slope in slopes),
            (delta,),
            is_source or unit in self.reached.get(level, ()),
        )

    def edges(self, level: int) -> Iterator[Edge]:
        stage = self.affine[level - 1]
        for target in self.units[level]:
            for source in self.units[level - 1]:
                yield self.edge(stage, source, target)
            if self.view.bias(stage, target):
                yield self.edge(stage, None, target)

    def edge(self, stage: Stage, source: int | None, target: int) -> Edge:
        view, place = self.view, self.view.place
        delta = stage.delta[:, target]
        if source is None:
            *_, bias = (p.detach() for p in stage.layer.parameters if p is not None)
            symbol = view.bias(stage, target)
            value = float(bias[target] if bias.dim() == 1 else bias[target, -1])
            gradient = float(delta.sum())
        else:
            symbol = view.names.weight(stage.level, source, target)
            value = float(stage.slopes[target, source])
            gradient = float((delta * view.graph.before(stage)[:, source]).sum())
        into_place = (stage, target, source) == (place.stage, place.j, place.i)
        above = stage.level > place.stage.level and source is not None
        through = above and source in self.reached[stage.level - 1]
        on_path = into_place or (through and target in self.reached[stage.level])
        slope = Number(derivative(view.names.notation.loss, symbol), gradient)
        return Edge(source, target, Number(symbol, value), slope, on_path)


def reached(view: Viewpoint, path: Path | None) -> Mapping[int, frozenset[int]]:
    """By level the neurons between the parameter and the loss: all, or those of one path."""
    place, sizes = view.place, view.names.sizes
    above = range(place.stage.level + 1, view.names.depth + 1)
    if path is None:
        units = {level: frozenset(range(sizes[level])) for level in above}
    else:
        ways = zip(above, reversed(path.neurons), strict=True)
        units = {level: frozenset([unit]) for level, unit in ways}
    return {place.stage.level: frozenset([place.j]), **units}


def diagram_of(view: Viewpoint, path: Path | None, most: Most) -> Diagram:
    """Of one example; along the path, or all paths, nodes and edges are marked."""
    return Draughtsman(view, path, most).diagram()


def unmarked(diagram: Diagram) -> Diagram:
    """The same without a path."""

    def bare(edges: tuple[Edge, ...]) -> tuple[Edge, ...]:
        return tuple(replace(edge, on_path=False) for edge in edges)

    columns = tuple(
        replace(
            column,
            nodes=tuple(replace(node, on_path=False) for node in column.nodes),
            edges=bare(column.edges),
        )
        for column in diagram.columns
    )
    return replace(diagram, columns=columns, into_loss=bare(diagram.into_loss))
