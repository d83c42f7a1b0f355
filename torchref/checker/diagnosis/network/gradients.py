"""All gradients of one comparison side by side, and the patterns that show across them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor

from torchref.checker.causes.mismatch import Hypothesis, Mismatch
from torchref.checker.execution.arithmetic import SAME


@dataclass(frozen=True)
class Page:
    """All gradients of one comparison whose shapes agree, in the order given.

    `trues` are the true ones, `wrong` those that differ, and `recognised` what the numbers of each
    of these say alone; `claims` what was given and what is true of every name that differs, in
    shape too, within `rounding`. `known` are numbers that took part, `sizes` those that are seen;
    `parameters` the values that the gradients belong to.
    """

    trues: Mapping[str, Tensor]
    wrong: Mapping[str, Mismatch]
    recognised: Mapping[str, Sequence[Hypothesis]]
    claims: Mapping[str, tuple[Tensor, Tensor]] = field(default_factory=dict)
    rounding: float = SAME
    known: Mapping[str, float] = field(default_factory=dict)
    sizes: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.trues)

    @property
    def right(self) -> tuple[str, ...]:
        return tuple(name for name in self.trues if name not in self.wrong)

    @property
    def unexplained(self) -> tuple[str, ...]:
        """The names that are wrong in most of their entries and bear no mark of their own."""
        return tuple(
            name for name, w in self.wrong.items() if not self.recognised[name] and _mostly(w)
        )


@dataclass(frozen=True)
class Pattern:
    """Gradients that are wrong together, and what fits them all, likelier first."""

    names: tuple[str, ...]
    hypotheses: tuple[Hypothesis, ...]


Rule = Callable[[Page], Iterator[Pattern]]


def patterns(page: Page, rules: Sequence[Rule]) -> list[Pattern]:
    """The patterns found: what an earlier rule explains is no riddle to a later one."""
    found: list[Pattern] = []
    for rule in rules:
        for pattern in rule(page):
            found.append(pattern)
            solved = dict.fromkeys(pattern.names, pattern.hypotheses)
            page = replace(page, recognised={**page.recognised, **solved})
    return found


def _mostly(wrong: Mismatch) -> bool:
    """Of the entries that are 0 on both sides nothing is known."""
    touched = int(((wrong.got != 0) | (wrong.true != 0)).sum())
    return int(wrong.wrong.sum()) > touched / 2
