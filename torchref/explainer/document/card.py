"""An explanation in the room of a card of TensorBoard: its factors, and what comes of them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from torchref.explainer.chain.account import Account
from torchref.explainer.charts.shapes import (
    CARD_HEIGHT,
    CARD_WIDTH,
    GREY,
    INK,
    PALE,
    RED,
    Line,
    Shape,
    Text,
    width_of,
)
from torchref.explainer.charts.sheet import Sheet
from torchref.explainer.diagram.drawing import drawing_of
from torchref.explainer.diagram.style import CARD
from torchref.explainer.document.sections import number

if TYPE_CHECKING:
    from PIL.Image import Image

SIZE, LINE, MARGIN, GAP = 11.0, 15.0, 3.0, 7.0
SIZES = (11.0, 10.0, 9.0)  # of the table's letters
MOST_ROWS = 8
COLOURS = (INK, INK, RED, GREY)  # of the columns
Row = tuple[str, str, str, str]


def cards_of(found: Account) -> dict[str, "Image"]:
    """The two pictures of an explanation, by what their names in TensorBoard end in.

    Raises `InputError` where matplotlib, which has the letters, is not installed.
    """
    return {"": factor_card(found).image(), "/network": drawing_of(found, None, CARD).image()}


def factor_card(found: Account) -> Sheet:
    """The factors with formula and value, then the verdict and the update."""
    title = f"{found.gradient} = {number(found.evidence.product)}"
    shapes: list[Shape] = [Text(MARGIN, 9, title, SIZE + 2, anchor="start", bold=True)]
    shapes += table(rows_of(found), 28)
    lines = outcome(found)
    y = CARD_HEIGHT - LINE * len(lines)
    shapes.append(Line(((MARGIN, y - 3), (CARD_WIDTH - MARGIN, y - 3)), PALE))
    for row, text in enumerate(lines):
        shapes.append(Text(MARGIN, y + LINE * (row + 0.5), text, SIZE, anchor="start"))
    return Sheet(CARD_WIDTH, CARD_HEIGHT, f"The factors of {title}", tuple(shapes))


def rows_of(found: Account) -> list[Row]:
    """A row a factor, of which many leave out the middle."""
    rows: list[Row] = [
        (each.symbol, each.formula, number(each.value), "stored" if each.is_stored else "new")
        for each in found.factors
    ]
    half = MOST_ROWS // 2
    if len(rows) <= MOST_ROWS:
        return rows
    return [*rows[:half], ("⋮", f"{len(rows) - 2 * half + 1} more", "", ""), *rows[1 - half :]]


def table(rows: list[Row], y: float) -> Iterator[Text]:
    """In letters as large as fit; in the smallest ones, a formula that does not fit ends in …."""
    for size in SIZES:
        widths = [
            max(width_of(text, size) for text in column) for column in zip(*rows, strict=True)
        ]
        too_wide = sum(widths) - (CARD_WIDTH - 2 * MARGIN - 3 * GAP)
        if too_wide <= 0:
            break
    else:
        widths[1] -= too_wide
    for row in rows:
        x = MARGIN
        for text, width, colour in zip(row, widths, COLOURS, strict=True):
            yield Text(x, y, cut(text, width, size), size, colour, "start")
            x += width + GAP
        y += LINE


def cut(text: str, width: float, size: float) -> str:
    """The beginning of the text that fits.

    >>> cut("a(1 − a)", 60, 11), cut("a(1 − a)", 40, 11)
    ('a(1 − a)', 'a(1 …')
    """
    if width_of(text, size) <= width + 1e-9:
        return text
    while text and width_of(text + "…", size) > width:
        text = text[:-1]
    return text + "…"


def outcome(found: Account) -> list[str]:
    """The product of one of several examples, the verdict and its grounds, and the update."""
    evidence, w, examples = found.evidence, found.parameter, len(found.contributions)
    lines = []
    if examples > 1:
        product = number(found.contributions[found.example])
        lines = [f"Product of example {found.example}, of {examples}: {product}"]
    now, then, rate = number(found.before), number(found.after), found.notation.rate
    return [
        *lines,
        f"The verdict: {evidence.verdict}",
        f"autograd {number(evidence.autograd)}, differences {number(evidence.difference.value)}",
        f"{w}: {now} → {then} with {rate} = {number(found.rate)}",
    ]
