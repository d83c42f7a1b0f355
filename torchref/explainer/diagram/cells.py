"""The boxes of a drawing, column by column: what is written in each, and where each stands."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from torchref.explainer.charts.shapes import GREY, INK, RED, Box, width_of
from torchref.explainer.diagram.network import Column, Diagram, Node, Number
from torchref.explainer.diagram.selection import gaps
from torchref.explainer.diagram.style import Style

Lines = tuple[tuple[str, str], ...]  # with their colours


NOWHERE = Box(0, 0, 0, 0)


@dataclass(frozen=True)
class Cell:
    """A node, or in grey how many neurons or levels are left out, which are never on the path.

    `unit` is that of a node; what is left out has -1.
    """

    level: int
    unit: int | None
    lines: Lines
    on_path: bool
    box: Box = NOWHERE

    @property
    def is_gap(self) -> bool:
        return self.unit == LEFT_OUT


LEFT_OUT = -1
BESIDE_A_GAP = 0.35
Table = list[list[Cell]]


def cells_of(diagram: Diagram, style: Style) -> Table:
    """From the inputs to the loss, which is a level of its own."""
    found: Table = [list(column_of(diagram.columns[0], style))]
    for before, column in pairwise(diagram.columns):
        left_out = column.level - before.level - 1
        if left_out:
            lines = ((("⋯", GREY), (f"{left_out} more", GREY), (plural("level", left_out), GREY)),)
            found.append([Cell(before.level, LEFT_OUT, *lines, on_path=False)])
        found.append(list(column_of(column, style)))
    loss = tuple((line, INK) for number in diagram.loss for line in told(number, style))
    left_out = diagram.columns[-1].size - len(diagram.into_loss)
    loss += ((f"{left_out} more", GREY),) if left_out else ()
    is_marked = any(edge.on_path for edge in diagram.into_loss)
    return [*found, [Cell(diagram.depth + 1, 0, loss, on_path=is_marked)]]


def column_of(column: Column, style: Style) -> Iterator[Cell]:
    units = [node.unit for node in column.nodes if node.unit is not None]
    left_out = dict(zip(units, gaps(units), strict=True))
    for node in column.nodes:
        if node.unit is not None and left_out[node.unit]:
            words = f"⋮ {left_out[node.unit]} more"
            yield Cell(column.level, LEFT_OUT, ((words, GREY),), on_path=False)
        yield Cell(column.level, node.unit, lines_of(node, style), node.on_path)


def lines_of(node: Node, style: Style) -> Lines:
    """z, a, the slope between them and δ; or a alone, and under it its value and that of δ."""
    values = node.values if style.says_all else node.values[-1:]
    black = [(line, INK) for number in values for line in told(number, style)]
    if not style.says_all:
        return (*black, *((short(each.value, style), RED) for each in node.gradients))
    grey = [(line, GREY) for number in node.slopes for line in told(number, style)]
    red = [(line, RED) for number in node.gradients for line in told(number, style)]
    return (*black, *grey, *red)


def told(number: Number, style: Style) -> tuple[str, ...]:
    """A symbol beside its value, or above it where there is little room."""
    value = short(number.value, style)
    if not number.symbol:
        return (value,)
    return (f"{number.symbol} {value}",) if style.says_all else (number.symbol, value)


def short(value: float, style: Style) -> str:
    """With as few digits as the style has.

    >>> from torchref.explainer.diagram.style import CARD, PAGE
    >>> short(-0.0010214, PAGE), short(1.2e-12, CARD), short(0.0, CARD)
    ('-0.001021', '1.2e-12', '0')
    """
    mantissa, exponent, power = f"{value:.{style.digits}g}".partition("e")
    return f"{mantissa}e{int(power)}" if exponent else mantissa


def plural(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}s"


def width(cell: Cell, style: Style) -> float:
    return max(width_of(line, style.size) for line, _ in cell.lines) + 2 * style.padding


def height(cell: Cell, style: Style) -> float:
    return len(cell.lines) * style.line + (0 if cell.is_gap else 2 * style.padding)


def shares_of(diagram: Diagram, style: Style) -> list[float]:
    """Of the distance between two columns: less where few labels stand one above the other."""

    def share(labels: int) -> float:
        return next((share for most, share in style.shares if labels <= most), 1.0)

    found = []
    for before, column in pairwise(diagram.columns):
        is_next = column.level == before.level + 1
        found += [share(len(column.edges))] if is_next else [BESIDE_A_GAP, BESIDE_A_GAP]
    return [*found, share(len(diagram.into_loss))]


def room_for(cells: Table, style: Style, shares: list[float]) -> tuple[float, float]:
    """The width and the height that all columns need at the style's distances."""
    widths = [max(width(cell, style) for cell in column) for column in cells]
    heights = [
        sum(height(cell, style) for cell in column) + style.between_rows * (len(column) - 1)
        for column in cells
    ]
    return sum(widths) + style.between_columns * sum(shares), max(heights)


def placed(cells: Table, style: Style, shares: list[float], room: Box) -> Table:
    """The columns side by side over the whole room, each in the middle of its height."""
    widths = [max(width(cell, style) for cell in column) for column in cells]
    between = [(room.width - sum(widths)) * share / sum(shares) for share in shares]
    left = room.x
    found: Table = []
    for column, wide, apart in zip(cells, widths, [*between, 0.0], strict=True):
        heights = [height(cell, style) for cell in column]
        gap = min(3 * style.between_rows, (room.height - sum(heights)) / max(1, len(column) - 1))
        y = room.y + (room.height - sum(heights) - gap * (len(column) - 1)) / 2
        found.append([])
        for cell, high in zip(column, heights, strict=True):
            found[-1].append(replace(cell, box=Box(left, y, wide, high)))
            y += high + gap
        left += wide + apart
    return found
