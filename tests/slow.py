"""Of the many values of a parameter, those that a run of all tests tries."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest


def few_of(
    values: Iterable[Any], every: int = 3, first: int = 0, name: Callable[[Any], str] = str
) -> list[Any]:
    """All of them as parameters, of which every third is tested always, and the others are slow.

    >>> [bool(each.marks) for each in few_of("abcd")]
    [False, True, True, False]
    """
    return [
        pytest.param(
            *(value if isinstance(value, tuple) else (value,)),
            id=name(value),
            marks=() if place % every == first else pytest.mark.slow,
        )
        for place, value in enumerate(values)
    ]
