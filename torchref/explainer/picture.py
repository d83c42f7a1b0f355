"""An explanation as a picture, with its formulas drawn by matplotlib's mathtext."""

from os import PathLike
from typing import Any

from torchref.errors import InputError
from torchref.explainer.account import Account
from torchref.explainer.document import Formula, Section
from torchref.explainer.drawing import new_figure
from torchref.explainer.mathematics import latex
from torchref.explainer.sections import sections

LINE = 0.32  # inches
TALL = 1.9  # lines, for one with a fraction in it
MARGIN = 0.3
WIDTH = 12.0
LETTERS_PER_INCH = 11.0
LEFT_OUT = ("The forward pass",)  # long, and the factors show its numbers again


def figure(found: Account) -> Any:
    """A matplotlib figure, as `SummaryWriter.add_figure` takes it."""
    shown = [each for each in sections(found) if not each.title.startswith(LEFT_OUT)]
    height = sum(map(height_of, shown)) + 2 * MARGIN
    canvas = new_figure(WIDTH, height)
    y = height - MARGIN
    for section in shown:
        y = draw(canvas, section, y, height)
    return canvas


def save_png(found: Account, file: str | PathLike[str]) -> None:
    """Raises `InputError` where the file cannot be written."""
    drawn = figure(found)
    try:
        drawn.savefig(file, dpi=130, format="png")
    except OSError as error:
        raise InputError(
            "The picture must go to a file that can be written",
            f"{file} cannot be: {error.strerror}",
            "Give another file.",
        ) from error


def height_of(section: Section) -> float:
    taller = any("/" in cell for row in section.rows for cell in row if isinstance(cell, Formula))
    rows = len(section.rows) * (TALL if taller else 1.0) + bool(section.header)
    return LINE * (2.0 + sum(TALL if "/" in line else 1.0 for line in section.lines) + rows)


def draw(canvas: Any, section: Section, y: float, height: float) -> float:
    """The section from height y downwards; where the next one begins."""

    def write(x: float, y: float, text: str, **style: Any) -> None:
        canvas.text(x / WIDTH, y / height, mathtext(text), va="center", **style)

    end = y - height_of(section)
    y -= LINE / 2
    write(MARGIN, y, section.title, weight="bold", size=12)
    for line in section.lines:
        step = LINE * (TALL if "/" in line else 1.0)
        y -= step
        write(MARGIN, y, line, size=10)
    if section.header:
        starts = column_starts(section)
        y -= LINE
        for x, text in zip(starts, section.header, strict=True):
            write(x, y, text, size=9, color="0.4")
        taller = height_of(Section("", (), (), section.rows)) > LINE * (2 + len(section.rows))
        for row in section.rows:
            y -= LINE * (TALL if taller else 1.0)
            for x, text in zip(starts, row, strict=True):
                write(x, y, text, size=10)
    return end


def column_starts(section: Section) -> list[float]:
    """As wide as the longest cell asks, from left to right."""
    columns = zip(section.header, *section.rows, strict=True)
    widths = [max(map(len, column)) / LETTERS_PER_INCH + 0.4 for column in columns]
    return [MARGIN + sum(widths[:number]) for number in range(len(widths))]


def mathtext(text: str) -> str:
    if isinstance(text, Formula) and text:
        return f"${latex(text)}$".replace(r"\frac", r"\dfrac")
    return text.replace("$", r"\$")
