"""What an audit says: one row for each Function, a verdict on all, and what was not checked."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from torchref.auditor.report.text import NOTHING, shapes_told, tell
from torchref.checker.report.findings import Verdict
from torchref.checker.report.notebook import html
from torchref.checker.report.report import Judged, Report

RowVerdict = Literal["right", "wrong", "expected", "cannot tell", "not checked"]
Shapes = tuple[tuple[int, ...], ...]  # of the tensors of a call


@dataclass(frozen=True)
class Row:
    """A Function that the program applied.

    `verdict` is "expected" where it is not right and was declared to be so, and "not checked" where
    the program asked no gradient of it. `shapes` are those of each call that was kept, `cause` the
    likeliest of the findings, `reports` the cross-checks, and `note` what else there is to say.
    """

    name: str
    file: str | None
    line: int | None
    calls: int
    shapes: tuple[Shapes, ...]
    verdict: RowVerdict
    cause: str | None = None
    hazards: tuple[str, ...] = ()
    reports: tuple[Report, ...] = ()
    note: str = ""

    @property
    def place(self) -> str:
        """The file and line of its definition, from the folder in which one works."""
        if self.file is None:
            return ""
        file = Path(self.file)
        here = Path.cwd()
        return f"{file.relative_to(here) if file.is_relative_to(here) else file}:{self.line}"

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "file": self.file,
            "line": self.line,
            "calls": self.calls,
            "shapes": [[list(shape) for shape in shapes] for shapes in self.shapes],
            "verdict": self.verdict,
            "cause": self.cause,
            "hazards": list(self.hazards),
            "note": self.note,
            "reports": [report.to_dict() for report in self.reports],
        }


def unchecked(name: str, file: str | None, line: int | None, calls: int, why: str) -> Row:
    """The row of a Function that was applied, and whose check has not come to an end."""
    return Row(name, file, line, calls, (), "cannot tell", note=why)


@dataclass(frozen=True, repr=False)
class AuditReport(Judged):
    """The outcome of `Audit.report`: `rows` for the Functions, `notes` on what was not seen.

    `verdict` is "wrong" where a Function is; else "cannot tell" where one could not be judged, or
    none; else "right": then no Function surprises, though some may be expected not to be right.
    """

    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        verdicts = {row.verdict for row in self.rows} - {"not checked"}
        if "wrong" in verdicts:
            return "wrong"
        return "cannot tell" if not verdicts or "cannot tell" in verdicts else "right"

    def __str__(self) -> str:
        return tell(self)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        file = "auditor/report/notebook.html.jinja"
        return html(file, audit=self, shapes_told=shapes_told, nothing=NOTHING)

    def to_dict(self) -> dict[str, Any]:
        """Everything, in plain types: what `torchref audit --json` writes."""
        return {
            "verdict": self.verdict,
            "functions": [row.to_dict() for row in self.rows],
            "notes": list(self.notes),
        }
