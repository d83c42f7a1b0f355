"""Lines over whole numbers, drawn by Pillow, without which TensorBoard has no pictures either.

A training ends with such a chart. matplotlib takes half a second until its first one is drawn,
which would be a fifth of what the digits take to be learnt; this takes a few hundredths.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

WIDTH, HEIGHT = 700, 450
LEFT, TOP, BOTTOM = 70, 32, 400  # the frame of the lines, with their names on its right
SMOOTH = 2  # drawn so many times as large and reduced, for edges without steps
MOST_TICKS = 10
COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#17becf")
INK, FRAME, GRID = "#222222", "#888888", "#e4e4e4"
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


def line_chart(curves: Curves, across: str, upwards: str) -> "Image":
    """Positive values over whole numbers, one line for each name, upwards in powers of ten.

    What has no logarithm, because it is zero or not finite, is left out. The names are in ASCII:
    Pillow's own font has nothing else.
    """
    from PIL import Image, ImageDraw

    large = Image.new("RGB", (SMOOTH * WIDTH, SMOOTH * HEIGHT), "white")
    pen = Pen(ImageDraw.Draw(large))
    right = WIDTH - 46 - max(map(pen.width, curves), default=0)
    lines = {name: [*drawable(values)] for name, values in curves.items()}
    numbers = [number for line in lines.values() for number, _ in line] or [1]
    heights = [height for line in lines.values() for _, height in line] or [0.0]
    x = Axis(min(numbers), max(numbers), LEFT, right)
    y = Axis(min(heights), max(heights), BOTTOM, TOP)
    for number in whole_ticks(min(numbers), max(numbers)):
        pen.line([(x.at(number), BOTTOM), (x.at(number), TOP)], GRID)
        pen.text((x.at(number), BOTTOM + 6), str(number), "ma")
    for height, label in logarithmic_ticks(min(heights), max(heights)).items():
        pen.line([(LEFT, y.at(height)), (right, y.at(height))], GRID)
        pen.text((LEFT - 6, y.at(height)), label, "rm")
    pen.line([(LEFT, TOP), (right, TOP), (right, BOTTOM), (LEFT, BOTTOM), (LEFT, TOP)], FRAME)
    pen.text(((LEFT + right) / 2, BOTTOM + 26), across, "ma")
    pen.text((LEFT, TOP - 8), upwards, "ls")
    for row, ((name, line), colour) in enumerate(zip(lines.items(), cycle(COLOURS), strict=False)):
        pen.curve([(x.at(number), y.at(height)) for number, height in line], colour)
        beside = TOP + 10 + 20 * row
        pen.curve([(right + 12, beside), (right + 32, beside)], colour)
        pen.text((right + 38, beside), name, "lm")
    return large.reduce(SMOOTH)


class Pen:
    """Draws in the units of the chart that is to be."""

    def __init__(self, draw: "ImageDraw") -> None:
        from PIL import ImageFont

        self.draw, self.font = draw, ImageFont.load_default(14 * SMOOTH)

    def line(self, points: list[tuple[float, float]], colour: str, width: float = 1.0) -> None:
        scaled = [(SMOOTH * x, SMOOTH * y) for x, y in points]
        self.draw.line(scaled, colour, round(SMOOTH * width), joint="curve")

    def curve(self, points: list[tuple[float, float]], colour: str) -> None:
        self.line(points, colour, 1.5)
        for x, y in points:
            self.draw.circle((SMOOTH * x, SMOOTH * y), 2.5 * SMOOTH, colour)

    def text(self, place: tuple[float, float], text: str, anchor: str) -> None:
        x, y = place
        self.draw.text((SMOOTH * x, SMOOTH * y), text, INK, self.font, anchor)

    def width(self, text: str) -> float:
        return self.font.getlength(text) / SMOOTH


def drawable(values: Mapping[int, float]) -> Iterator[tuple[int, float]]:
    """The values' logarithms."""
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
