"""Which levels and neurons of a large network are drawn."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Most:
    """So many levels, the inputs among them, and neurons of a level, but for those asked for."""

    levels: int
    units: int


def chosen(count: int, most: int, wanted: Iterable[int] = ()) -> tuple[int, ...]:
    """Of `count` things all, or else the first ones, the last, and all that are wanted.

    >>> chosen(4, 6), chosen(300, 6, [7])
    ((0, 1, 2, 3), (0, 1, 2, 7, 299))
    """
    if count <= most:
        return tuple(range(count))
    kept = {count - 1, *wanted}
    for number in range(count):
        if len(kept) >= most - 1:  # one place is that of what is left out
            break
        kept.add(number)
    return tuple(sorted(kept))


def gaps(kept: Sequence[int]) -> list[int]:
    """How many are left out before each of those that are kept.

    >>> gaps((0, 1, 2, 7, 299))
    [0, 0, 0, 4, 291]
    """
    return [after - before - 1 for before, after in zip((-1, *kept), kept, strict=False)]
