"""An audit told on a terminal: one table, and under it the story of each that is not right."""

from collections.abc import Sequence
from io import StringIO
from typing import Protocol

from rich.console import Console
from rich.text import Text

from torchref.checker.report.report import Report
from torchref.checker.report.table import Table, say
from torchref.checker.report.text import STYLES, lines

WIDTH = 120  # of the table as plain text
ALL_STYLES = STYLES | {"expected": "bold cyan", "not checked": "dim"}
NOTHING = "No Function was applied: there is nothing to check."


class ToldRow(Protocol):
    """What there is to tell of a Function."""

    @property
    def name(self) -> str: ...
    @property
    def place(self) -> str: ...
    @property
    def calls(self) -> int: ...
    @property
    def shapes(self) -> tuple[tuple[tuple[int, ...], ...], ...]: ...
    @property
    def verdict(self) -> str: ...
    @property
    def cause(self) -> str | None: ...
    @property
    def hazards(self) -> tuple[str, ...]: ...
    @property
    def reports(self) -> tuple[Report, ...]: ...
    @property
    def note(self) -> str: ...


class ToldAudit(Protocol):
    """What there is to tell of an audit."""

    @property
    def rows(self) -> Sequence[ToldRow]: ...
    @property
    def notes(self) -> tuple[str, ...]: ...


def tell(audit: ToldAudit) -> str:
    """The audit as plain text."""
    console = Console(file=StringIO(), width=WIDTH, color_system=None)
    show(audit, console)
    return console.file.getvalue().rstrip("\n")  # type: ignore[attr-defined]  # a StringIO


def show(audit: ToldAudit, console: Console) -> None:
    """The audit on a console, in colour where that is a terminal."""
    console.print(table(audit.rows) if audit.rows else NOTHING)
    for row in audit.rows:
        for line in story(row):
            say(line, console)
    for note in audit.notes:
        say(Text(f"note: {note}", style="dim"), console)


def table(rows: Sequence[ToldRow]) -> Table:
    """One row for each Function, which 80 columns hold."""
    made = Table(title="Functions that the program applied", title_justify="left")
    for column in ("Function", "calls", "shapes", "verdict", "cause, hazards"):
        made.add_column(
            column,
            justify="right" if column == "calls" else "left",
            overflow="fold",
            no_wrap=column in ("calls", "verdict"),
        )
    for row in rows:
        made.add_row(
            Text.assemble((row.name, "bold"), f"\n{row.place}"),
            f"{row.calls:,}",
            Text("\n".join(map(shapes_told, row.shapes))),
            Text(row.verdict, style=ALL_STYLES[row.verdict]),
            "\n".join(filter(None, (row.cause, *(f"hazard: {each}" for each in row.hazards)))),
        )
    return made


def shapes_told(shapes: Sequence[tuple[int, ...]]) -> str:
    """The shapes of the tensors of one call.

    >>> shapes_told([(4, 3), (3,), ()])
    '4×3, 3, scalar'
    """
    return ", ".join("×".join(map(str, shape)) or "scalar" for shape in shapes)


def story(row: ToldRow) -> list[Text]:
    """What was found of a Function that is not right, each thing once; and the notes of others."""
    told: list[Text] = []
    if row.verdict in ("wrong", "cannot tell"):
        worth = [report for report in row.reports if report.verdict == row.verdict]
        told = lines(worth[0]) if worth else [_head(row)]
    elif row.note:
        told = [_head(row)]
    if row.note:
        told.append(Text(f"  note: {row.note}", style="dim"))
    return told


def _head(row: ToldRow) -> Text:
    return Text.assemble((row.name, "bold"), ": ", (row.verdict, ALL_STYLES[row.verdict]))
