"""An explanation as a picture, with its formulas drawn by matplotlib's mathtext."""

from collections.abc import Iterable
from itertools import accumulate
from typing import Any

from torchref.explainer.charts.drawing import new_figure
from torchref.explainer.document.latex_math import latex
from torchref.explainer.document.sections import Formula, Section

DPI = 130
LINE = 0.32  # inches
TALL = 1.9  # lines, for one with a fraction in it
MARGIN, GAP = 0.3, 0.4
LEFT_OUT = ("The forward pass",)  # long, and the factors show its numbers again


def figure(sections: Iterable[Section]) -> Any:
    """A matplotlib figure, as `SummaryWriter.add_figure` takes it."""
    shown = [each for each in sections if not each.title.startswith(LEFT_OUT)]
    height = sum(map(height_of, shown)) + 2 * MARGIN
    canvas = new_figure(1, height, dpi=DPI)
    y, width = height - MARGIN, 0.0
    for section in shown:
        width = max(width, draw(canvas, section, y))
        y -= height_of(section)
    canvas.set_size_inches(width + MARGIN, height)
    return canvas


def height_of(section: Section) -> float:
    """The title, the lines and the table, and a line's distance to the next section."""
    lines = sum(height_of_cells((line,)) for line in section.lines)
    return 2 * LINE + lines + sum(heights_of_rows(section))


def heights_of_rows(section: Section) -> list[float]:
    """Of the header, and of the rows below it, which are all as high as the highest."""
    highest = max(map(height_of_cells, section.rows), default=0.0)
    header = [height_of_cells(section.header)] if section.header else []
    return [*header, *(highest for _ in section.rows)]


def height_of_cells(cells: tuple[str, ...]) -> float:
    return LINE * (TALL if any("/" in each for each in cells if isinstance(each, Formula)) else 1)


def draw(canvas: Any, section: Section, y: float) -> float:
    """The section from height y downwards, in inches; how far it goes to the right."""

    def write(x: float, y: float, text: str, **style: Any) -> float:
        """At height y's middle; where the text ends to the right."""
        place = {"transform": canvas.dpi_scale_trans, "va": "center"}
        drawn = canvas.text(x, y, mathtext(text), **place, **({"size": 10} | style))
        return drawn.get_window_extent().x1 / canvas.dpi

    right = write(MARGIN, y - LINE / 2, section.title, weight="bold", size=12)
    y -= LINE
    for line in section.lines:
        height = height_of_cells((line,))
        right = max(right, write(MARGIN, y - height / 2, line))
        y -= height
    heights = heights_of_rows(section)
    middles = [
        y - below + height / 2 for below, height in zip(accumulate(heights), heights, strict=True)
    ]
    x = MARGIN
    for header, *cells in zip(section.header, *section.rows, strict=True):
        ends = [write(x, middles[0], header, size=9, color="0.4")]
        ends += [write(x, y, cell) for y, cell in zip(middles[1:], cells, strict=True)]
        right = max(right, *ends)
        x = max(ends) + GAP
    return right


def mathtext(text: str) -> str:
    if isinstance(text, Formula) and text:
        return f"${latex(text)}$".replace(r"\frac", r"\dfrac")
    return text.replace("$", r"\$")
