"""What a lecture states, held against what is computed: one line each, and a verdict."""

from dataclasses import dataclass, field

import torch
from rich.markup import escape
from torch import Tensor

from torchref.checker.report.table import Output, Table

Number = Tensor | float


@dataclass(frozen=True)
class Statement:
    """Two ways to the same numbers, and how far apart they are."""

    text: str
    mine: Tensor
    other: Tensor
    tolerance: float

    @property
    def error(self) -> float:
        """The largest difference, relative to the largest entry."""
        scale = max(self.mine.abs().max().item(), self.other.abs().max().item(), 1e-300)
        return (self.mine - self.other).abs().max().item() / scale

    @property
    def holds(self) -> bool:
        return self.error <= self.tolerance  # NaN does not


@dataclass
class Statements:
    """The statements of one experiment.

    >>> stated = Statements()
    >>> stated.equal("∂z₁/∂w₁₁ = x₁", 0.1, 0.1)
    >>> stated.hold
    True
    """

    made: list[Statement] = field(default_factory=list)

    def equal(self, text: str, mine: Number, other: Number, tolerance: float = 1e-12) -> None:
        """Both sides of an equation, computed in two ways."""
        one, two = (torch.as_tensor(x, dtype=torch.float64).detach().cpu() for x in (mine, other))
        self.made.append(Statement(text, one, two, tolerance))

    def true(self, text: str, holds: bool) -> None:
        self.equal(text, float(holds), 1.0, 0.0)

    @property
    def hold(self) -> bool:
        return all(statement.holds for statement in self.made)

    def show(self) -> None:
        """Prints them all; raises `SystemExit(1)` if one does not hold."""
        table = Table("statement", "relative error", "verdict", title="What the lecture states")
        for each in self.made:
            error = f"{each.error:.1e}" if each.tolerance else ""  # it is true or it is not
            table.add_row(escape(each.text), error, "right" if each.holds else "wrong")
        Output().print(table)
        if not self.hold:
            raise SystemExit(1)
