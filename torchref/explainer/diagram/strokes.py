"""The lines of a drawing between its boxes, and what is written at them where there is room."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, cycle
from math import dist

from torchref.explainer.charts.shapes import (
    INK,
    ORANGE,
    PALE,
    RED,
    Box,
    Line,
    Shape,
    Text,
    width_of,
)
from torchref.explainer.diagram.cells import Lines, Table, short
from torchref.explainer.diagram.network import Diagram, Edge
from torchref.explainer.diagram.style import Style

# Along a line. By turns the lines have their labels near one end and the other, or all have them in
# the middle: whichever leaves room for most, and then sets them farthest apart.
PLACES = [0.02 * step for step in range(5, 46)]
PREFERRED = (
    *((0.5,), (0.28, 0.72), (0.72, 0.28), (0.28, 0.8), (0.5, 0.2)),
    *((0.27, 0.5, 0.73), (0.73, 0.5, 0.27), (0.65, 0.2, 0.8)),
)
MOST_LABELS = 16  # of a level: with more weights only those on the path have one
LABEL, CLEARANCE = 0.85, 1.0  # of the size of letters in boxes; pixels


@dataclass(frozen=True)
class Stroke:
    """A line, and what may be written at it."""

    line: Line
    label: Lines

    @property
    def on_path(self) -> bool:
        return self.line.kind == "path"


def strokes_of(diagram: Diagram, cells: Table, style: Style) -> list[Stroke]:
    """Those on the path come last, and lie above the others."""
    boxes = {(cell.level, cell.unit): cell.box for column in cells for cell in column}
    found = []
    for column in diagram.columns:
        for edge in column.edges:
            ends = boxes[column.level - 1, edge.source], boxes[column.level, edge.target]
            has_label = edge.on_path or len(column.edges) <= MOST_LABELS
            found.append(stroke(edge, *ends, style, has_label=has_label))
    for edge in diagram.into_loss:
        source, target = boxes[diagram.depth, edge.source], boxes[diagram.depth + 1, 0]
        found.append(stroke(edge, source, target, style))
    found += across_gaps(cells)
    return sorted(found, key=lambda each: each.on_path)


def stroke(edge: Edge, source: Box, target: Box, style: Style, *, has_label: bool = True) -> Stroke:
    slope, value = edge.gradient, edge.value
    red = short(slope.value, style)
    tip = f"{slope.symbol} = {slope.value:.6g}"
    label: Lines = ()
    if value is None:
        label = ((f"{slope.symbol} {red}" if style.says_all else red, RED),)
    else:
        black = short(value.value, style)
        if style.says_all:
            black, red = f"{value.symbol} {black}", f"∂ {red}"
        label = ((black, INK), (red, RED))
        tip = f"{value.symbol} = {value.value:.6g}, {tip}"
    drawn = line(source, target, on_path=edge.on_path, tip=tip)
    return Stroke(drawn, label if has_label else ())


def line(source: Box, target: Box, *, on_path: bool, tip: str = "") -> Line:
    ends = (
        (source.x + source.width, source.y + source.height / 2),
        (target.x, target.y + target.height / 2),
    )
    if on_path:
        return Line(ends, ORANGE, 2.2, "path", tip)
    return Line(ends, PALE, 1.0, "weight", tip)


def across_gaps(cells: Table) -> Iterator[Stroke]:
    """The path through levels that are left out."""
    for before, gap, after in zip(cells, cells[1:], cells[2:], strict=False):
        starts = [cell for cell in before if cell.on_path]
        if [cell.is_gap for cell in gap] == [True] and starts:
            ends = [cell for cell in after if cell.on_path]
            pairs = [(cell, gap[0]) for cell in starts] + [(gap[0], cell) for cell in ends]
            yield from (Stroke(line(a.box, b.box, on_path=True), ()) for a, b in pairs)


@dataclass(frozen=True)
class Label:
    """What is written at a line, and on which box."""

    box: Box
    lines: Lines
    size: float

    def shapes(self) -> Iterator[Shape]:
        yield self.box
        high = self.box.height / len(self.lines)
        for row, (text, colour) in enumerate(self.lines):
            x, y = self.box.x + self.box.width / 2, self.box.y + high * (row + 0.5)
            yield Text(x, y, text, self.size, colour)


def labels(strokes: list[Stroke], taken: list[Box], style: Style) -> list[Label]:
    """Those of the path first; what would lie over another or over a box is left out."""
    by_column: dict[float, list[Stroke]] = {}
    for stroke in reversed(strokes):
        if stroke.label:
            by_column.setdefault(stroke.line.points[0][0], []).append(stroke)
    found: list[Label] = []
    for column in by_column.values():
        ways = [laid(column, taken, style, each) for each in PREFERRED]
        best = max(ways, key=lambda way: (len(way), nearest(way)))
        found += best
    return found


def nearest(labels: list[Label]) -> float:
    """The distance between the middles of the two labels that are nearest to each other."""
    middles = [(it.x + it.width / 2, it.y + it.height / 2) for it in (each.box for each in labels)]
    return min((dist(*pair) for pair in combinations(middles, 2)), default=0.0)


def laid(
    strokes: list[Stroke], taken: list[Box], style: Style, preferred: tuple[float, ...]
) -> list[Label]:
    found: list[Label] = []
    for stroke, middle in zip(strokes, cycle(preferred), strict=False):
        nearest_first = sorted((abs(place - middle), place) for place in PLACES)
        boxes = (box_at(stroke, place, style) for _, place in nearest_first)
        left, right = (x for x, _ in stroke.line.points)
        others = [*taken, *(label.box for label in found)]
        for box in boxes:
            is_between = left < box.x and box.x + box.width < right
            if is_between and not any(box.overlaps(other, CLEARANCE) for other in others):
                found.append(Label(box, stroke.label, LABEL * style.size))
                break
    return found


def box_at(stroke: Stroke, place: float, style: Style) -> Box:
    """White, and as large as the label, around a place along the line."""
    size = LABEL * style.size
    (x_0, y_0), (x_1, y_1) = stroke.line.points
    x, y = x_0 + place * (x_1 - x_0), y_0 + place * (y_1 - y_0)
    wide = max(width_of(text, size) for text, _ in stroke.label) + 2
    high = 1.15 * size * len(stroke.label)
    return Box(x - wide / 2, y - high / 2, wide, high, edge_width=0, kind="label")
