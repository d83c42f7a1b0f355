"""How long the calls of a method take, within whatever calls it."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from experiments.benchmark.turns import Clock


@contextmanager
def stopped_by(clock: Clock, owner: type, method: str, spent: dict[str, float]) -> Iterator[None]:
    """Adds to `spent` how long the calls of a method take."""
    original = getattr(owner, method)

    def timed(*arguments: object, **keywords: object) -> object:
        start = clock()
        try:
            return original(*arguments, **keywords)
        finally:
            spent[owner.__name__] = spent.get(owner.__name__, 0.0) + clock() - start

    with patch.object(owner, method, timed):
        yield
