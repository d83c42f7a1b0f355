"""What a document is made of: sections with lines, formulas and tables."""

from dataclasses import dataclass

MOST_VALUES, FIRST_VALUES = 8, 3  # of a vector: all up to so many, or else so many
MOST_FACTORS = 24  # of a product on one line
MOST_ROWS = 40


class Formula(str):
    """Text that is mathematics."""

    __slots__ = ()


Cell = str
Rows = tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Section:
    """A heading, lines of text or formulas, and a table if it has a header."""

    title: str
    lines: tuple[Cell, ...] = ()
    header: tuple[str, ...] = ()
    rows: Rows = ()


def number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def exactly(value: float) -> str:
    return f"{value:.15g}"


def parenthesised(value: float) -> str:
    return f"({number(value)})" if value < 0 else number(value)


def listed(values: tuple[float, ...]) -> str:
    shown = values if len(values) <= MOST_VALUES else values[:FIRST_VALUES]
    left_out = len(values) - len(shown)
    return ", ".join(map(number, shown)) + (f", … {left_out} more" if left_out else "")


def product(parts: list[str]) -> str:
    """With the middle left out where it is long."""
    if len(parts) > MOST_FACTORS:
        parts = [*parts[: MOST_FACTORS // 2], "…", *parts[-MOST_FACTORS // 2 :]]
    return " · ".join(parts)


def shortened(rows: Rows) -> Rows:
    """The first and the last rows of a long table, and how many stand between."""
    if len(rows) <= MOST_ROWS:
        return rows
    half = MOST_ROWS // 2
    gap = ("…", f"{len(rows) - 2 * half} more", *("" for _ in rows[0][2:]))
    return (*rows[:half], gap, *rows[-half:])
