"""Lines over whole numbers, as large as a card of TensorBoard.

A training ends with such a chart. matplotlib takes half a second until its first one is drawn,
which would be a fifth of what the digits take to be learnt; this takes a few hundredths.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle

from torchref.explainer.charts.shapes import (
    CARD_HEIGHT,
    CARD_WIDTH,
    Dot,
    Line,
    Shape,
    Text,
    width_of,
)
from torchref.explainer.charts.sheet import Sheet

LEFT, TOP, BOTTOM = 46.0, 24.0, 176.0  # the frame of the lines, with their names on its right
SIZE, NAMES = 10.0, 9.0  # of the letters, of the names beside the lines
MOST_TICKS = 6
COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#17becf")
FRAME, GRID = "#888888", "#e4e4e4"
Curves = Mapping[str, Mapping[int, float]]


@dataclass(frozen=True)
class Axis:
    """From `low` at the pixel `start` to `high` at `end`, with a margin at either end."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return self.start + (0.04 + 0.92 * share) * (self.end - self.start)


def line_chart(curves: Curves, across: str, upwards: str) -> Sheet:
    """Positive values over whole numbers, one line for each name, upwards in powers of ten.

    What has no logarithm, because it is zero or not finite, is left out. Where all names are in
    ASCII, Pillow's own font is enough for an image.
    """
    right = CARD_WIDTH - 26 - max((width_of(name, NAMES) for name in curves), default=0.0)
    lines = {name: [*logarithms(values)] for name, values in curves.items()}
    numbers = [number for line in lines.values() for number, _ in line] or [1]
    heights = [height for line in lines.values() for _, height in line] or [0.0]
    x = Axis(min(numbers), max(numbers), LEFT, right)
    y = Axis(min(heights), max(heights), BOTTOM, TOP)
    frame = ((LEFT, TOP), (right, TOP), (right, BOTTOM), (LEFT, BOTTOM), (LEFT, TOP))
    shapes: list[Shape] = []
    for number in whole_ticks(min(numbers), max(numbers)):
        shapes.append(Line(((x.at(number), BOTTOM), (x.at(number), TOP)), GRID, kind="grid"))
        shapes.append(Text(x.at(number), BOTTOM + 10, str(number), SIZE))
    for height, label in logarithmic_ticks(min(heights), max(heights)).items():
        shapes.append(Line(((LEFT, y.at(height)), (right, y.at(height))), GRID, kind="grid"))
        shapes.append(Text(LEFT - 4, y.at(height), label, SIZE, anchor="end"))
    shapes.append(Line(frame, FRAME, kind="frame"))
    shapes.append(Text((LEFT + right) / 2, BOTTOM + 26, across, SIZE))
    shapes.append(Text(4, TOP - 12, upwards, SIZE, anchor="start"))
    for row, ((name, line), colour) in enumerate(zip(lines.items(), cycle(COLOURS), strict=False)):
        shapes += curve([(x.at(number), y.at(height)) for number, height in line], colour, name)
        beside = TOP + 8 + 16 * row
        shapes += curve([(right + 6, beside), (right + 18, beside)], colour, name)
        shapes.append(Text(right + 22, beside, name, NAMES, anchor="start"))
    return Sheet(CARD_WIDTH, CARD_HEIGHT, f"{upwards} by {across}", tuple(shapes))


def curve(points: list[tuple[float, float]], colour: str, name: str) -> Iterator[Shape]:
    if len(points) > 1:
        yield Line(tuple(points), colour, 1.3, "curve", name)
    yield from (Dot(x, y, 1.8, colour) for x, y in points)


def logarithms(values: Mapping[int, float]) -> Iterator[tuple[int, float]]:
    """To the base of 10, of those that have one."""
    for number, value in values.items():
        if 0 < value < math.inf:
            yield number, math.log10(value)


def whole_ticks(low: int, high: int) -> range:
    """Round numbers at equal distances, ten at most.

    >>> [*whole_ticks(1, 4)], [*whole_ticks(1, 30)]
    ([1, 2, 3, 4], [5, 10, 15, 20, 25, 30])
    """
    step = next(
        number * 10**power
        for power in range(20)
        for number in (1, 2, 5)
        if (high - low) / (number * 10**power) < MOST_TICKS
    )
    return range(math.ceil(low / step) * step, high + 1, step)


def logarithmic_ticks(low: float, high: float) -> dict[float, str]:
    """Labels by their places: powers of ten, or round numbers where not two of these are within.

    >>> logarithmic_ticks(-3.2, 0.1)
    {-3: '0.001', -2: '0.01', -1: '0.1', 0: '1'}
    >>> [*logarithmic_ticks(-1.4, -0.4).values()]
    ['0.05', '0.1', '0.2']
    >>> [*logarithmic_ticks(0.011, 0.012).values()]
    ['1.026', '1.028']
    """
    powers = whole_ticks(math.ceil(low), math.floor(high))
    if len(powers) > 1:
        return {power: f"{10.0**power:g}" for power in powers}
    decades = range(math.floor(low), math.ceil(high))
    for digits in ((1, 2, 5), range(1, 10)):
        values = (digit * 10.0**decade for decade in decades for digit in digits)
        ticks = {height: f"{v:g}" for v in values if low <= (height := math.log10(v)) <= high}
        if len(ticks) > 1:
            return ticks
    return {height: f"{10.0**height:.4g}" for height in (low, high)}
