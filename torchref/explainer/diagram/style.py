"""How large a drawing of a network is: that of a page, and that of a card of TensorBoard."""

from dataclasses import dataclass

from torchref.explainer.charts.shapes import CARD_HEIGHT, CARD_WIDTH
from torchref.explainer.diagram.selection import Most


@dataclass(frozen=True)
class Style:
    """Pixels, but for `digits`, of a number, and `says_all`: z and slopes too, not only a and δ.

    With a `card` the drawing is that wide and high, else as large as it needs.
    """

    size: float  # of the letters
    digits: int
    most: Most
    says_all: bool
    padding: float
    between_rows: float
    between_columns: float
    shares: tuple[tuple[int, float], ...]  # of that distance, by the most labels that it is for
    card: tuple[float, float] | None = None

    @property
    def line(self) -> float:
        return 1.22 * self.size


# A page has less room than a large network needs, and shrinks its letters with it.
PAGE = Style(13, 4, Most(5, 6), True, 5, 28, 220, ((1, 0.45), (3, 0.58), (8, 0.75)))
CARD = Style(9.5, 3, Most(4, 4), False, 2, 4, 18, (), (CARD_WIDTH, CARD_HEIGHT))
