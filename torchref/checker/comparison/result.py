"""What a comparison of gradients says: one row a name, a verdict, and the likely causes."""

import math
from dataclasses import dataclass
from typing import Any, NoReturn

from rich.text import Text

from torchref.checker.comparison.distance import Closeness
from torchref.checker.execution.numbers import told_apart
from torchref.checker.report.findings import Finding
from torchref.checker.report.notebook import html
from torchref.checker.report.report import WrongGradientError, no_truth_value
from torchref.checker.report.text import finding_lines

WORST_FIRST: tuple[Closeness, ...] = ("different", "close", "exact")


@dataclass(frozen=True)
class ComparedGradient:
    """One name: how far the manual gradient lies from the reference.

    `absolute` is the largest difference; `relative` the largest in units of the entry or of the
    tensor's typical (root mean square) entry, whichever is larger; `element` is where the latter
    is, and `manual` and `reference` are the values there. These are None where there is nothing
    to subtract: shapes differ, a gradient is absent or has no entries. `findings` are those of
    the comparison that concern this name.
    """

    name: str
    verdict: Closeness
    absolute: float | None = None
    relative: float | None = None
    element: tuple[int, ...] | None = None
    manual: complex | None = None
    reference: complex | None = None
    findings: tuple[Finding, ...] = ()
    note: str = ""

    def __str__(self) -> str:
        told = f"{self.verdict:<9}"
        if self.absolute and self.relative and self.element is not None:
            told += f"  {self.absolute:.2g} apart at most, relative {self.relative:.2g}"
            told += f" at {list(self.element)}" if self.element else ""
            one, other = _values_apart(self)
            told += f": {one} in place of {other}" if one else ""
        return (f"{told}  ({self.note})" if self.note else told).rstrip()

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "verdict": self.verdict,
            "absolute": _plain(self.absolute),
            "relative": _plain(self.relative),
            "element": None if self.element is None else list(self.element),
            "manual": _plain(self.manual),
            "reference": _plain(self.reference),
            "findings": [finding.to_dict() for finding in self.findings],
            "note": self.note,
        }


@dataclass(frozen=True, repr=False)
class Comparison:
    """The outcome of `torchref.compare`.

    `rows` hold one `ComparedGradient` a name, in order; `findings` say what is wrong, in one name
    or across them, likeliest cause first; `verdict` is that of the worst name.
    """

    rows: tuple[ComparedGradient, ...]
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Closeness:
        return min((row.verdict for row in self.rows), key=WORST_FIRST.index)

    def raise_if_different(self) -> None:
        """Raise `WrongGradientError` if a gradient is different; exact and close ones pass."""
        __tracebackhide__ = True  # pytest shows the test's own line
        if self.verdict == "different":
            raise WrongGradientError(str(self))

    def __bool__(self) -> NoReturn:
        """Gradients that differ would pass `assert compare(...)`: it has no truth value."""
        condition = 'comparison.verdict != "different"'
        raise no_truth_value("comparison", condition, "comparison.raise_if_different()")

    def __str__(self) -> str:
        count = f"{len(self.rows)} gradient{'s' if len(self.rows) > 1 else ''}"
        width = max(len(row.name) for row in self.rows)
        told = [f"{count}: {self.verdict}"]
        told += [f"  {row.name:<{width}}  {row}" for row in self.rows]
        lines: list[Text] = []
        for number, finding in enumerate(self.findings, start=1):
            lines += finding_lines(f"{number}.", finding)
        return "\n".join([*told, *(line.plain for line in lines)])

    __repr__ = __str__  # what a console shows

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        file = "checker/comparison/comparison.html.jinja"
        return html(file, comparison=self, number=_two_digits, told=_values_apart)

    def to_dict(self) -> dict[str, Any]:
        """Everything, in plain types that JSON knows."""
        return {
            "verdict": self.verdict,
            "rows": [row.to_dict() for row in self.rows],
            "findings": [finding.to_dict() for finding in self.findings],
        }


def _two_digits(value: float | None) -> str:
    return "" if value is None else f"{value:.2g}"


def _values_apart(row: ComparedGradient) -> tuple[str, str]:
    """Both values of a row, with as many digits as tell them apart."""
    if row.verdict == "different" and row.manual is not None and row.reference is not None:
        return told_apart(row.manual, row.reference)
    return "", ""


def _plain(value: complex | None) -> float | list[float] | str | None:
    """JSON knows no complex numbers, no NaN and no infinity."""
    if isinstance(value, complex):
        finite = math.isfinite(value.real) and math.isfinite(value.imag)
        return [value.real, value.imag] if finite else str(value)
    return value if value is None or math.isfinite(value) else str(value)
