"""Lines, boxes, dots and texts, how wide a text is, and how large a card."""

from dataclasses import dataclass
from typing import Literal

# What Time Series, of TensorBoard, has room for whatever the width of its window. It makes larger
# images smaller by leaving pixels out, which no writing survives: a card has to fit as it is.
CARD_WIDTH, CARD_HEIGHT = 303, 215
INK, RED, ORANGE, GREY, PALE = "#1a1a1a", "#b3001b", "#e8830c", "#6b6b6b", "#c4c4c4"
NARROW = frozenset("⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾₀₁₂₃₄₅₆₇₈₉ₖ‚.,:;|'′()[] -/fijlrt")
WIDE = frozenset("mMwW=+−←→⋯⋮%")
EM_NARROW, EM, EM_CAPITAL, EM_WIDE = 0.42, 0.64, 0.8, 1.0  # of DejaVu Sans, rounded up
BOLD = 1.15  # times as wide


@dataclass(frozen=True)
class Line:
    """Through all of `points`; `kind` names it for whoever looks for it in an SVG."""

    points: tuple[tuple[float, float], ...]
    colour: str = INK
    width: float = 1.0
    kind: str = "line"
    tip: str = ""


@dataclass(frozen=True)
class Box:
    """From its upper left corner; without a width of its edge it has none."""

    x: float
    y: float
    width: float
    height: float
    fill: str = "#ffffff"
    edge: str = INK
    edge_width: float = 1.0
    kind: str = "box"
    tip: str = ""

    def overlaps(self, other: "Box", distance: float = 0.0) -> bool:
        return (
            self.x < other.x + other.width + distance
            and other.x < self.x + self.width + distance
            and self.y < other.y + other.height + distance
            and other.y < self.y + self.height + distance
        )


@dataclass(frozen=True)
class Dot:
    """A full circle around a point."""

    x: float
    y: float
    radius: float
    colour: str = INK


@dataclass(frozen=True)
class Text:
    """At the height of its middle; `anchor` says which part of it x is the place of."""

    x: float
    y: float
    text: str
    size: float = 12.0
    colour: str = INK
    anchor: Literal["start", "middle", "end"] = "middle"
    bold: bool = False
    kind: str = "text"


Shape = Line | Box | Dot | Text


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """At most so many pixels: no font need be read to lay out a drawing.

    >>> width_of("w⁽¹⁾₁₁", 10) < width_of("weights", 10)
    True
    """
    ems = sum(
        EM_NARROW if c in NARROW else EM_WIDE if c in WIDE else EM_CAPITAL if c.isupper() else EM
        for c in text
    )
    return ems * size * (BOLD if bold else 1.0)
