"""How long the calls of some functions take, within whatever calls them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from experiments.benchmark.turns import Clock


class Stopwatch:
    """`spent` holds seconds by name. A call within another that is stopped belongs to the outer."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.running = clock, False
        self.spent: dict[str, float] = {}

    @contextmanager
    def on(self, owner: Any, function: str, name: str) -> Iterator[None]:
        """Stops the calls of a function of a module, or of a method of a class."""
        original: Callable[..., Any] = getattr(owner, function)
        self.spent.setdefault(name, 0.0)

        def timed(*arguments: Any, **keywords: Any) -> Any:
            if self.running:
                return original(*arguments, **keywords)
            start, self.running = self.clock(), True
            try:
                return original(*arguments, **keywords)
            finally:
                self.running = False
                self.spent[name] += self.clock() - start

        with patch.object(owner, function, timed):
            yield
