"""What came of cross-checking several candidates, as a table, as JSON and as an exit status."""

import json
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from torchref import Report, __version__
from torchref.checker.report.table import Table
from torchref.checker.report.text import STYLES, show
from torchref.cli.terminal import INTERRUPTED, RIGHT, USAGE, WRONG, err


@dataclass(frozen=True)
class Result:
    """What came of one candidate: a report, or why there is none.

    `is_error` where a check was meant, and what was given for it cannot be worked with;
    `is_interrupted` where Ctrl-C came amid it, or before.
    """

    name: str
    report: Report | None = None
    why: str = ""
    is_error: bool = False
    seconds: float = 0.0
    is_interrupted: bool = False

    @property
    def verdict(self) -> str:
        if self.report is None:
            return "error" if self.is_error else "not checked"
        return self.report.verdict

    def tried(self, check: str) -> bool:
        """Whether the report has a check of this name."""
        return self.report is not None and any(each.name == check for each in self.report.checks)

    @property
    def summary(self) -> str:
        """In one line."""
        if self.report is None:
            return f"{self.name}: {self.verdict}: {self.why}"
        causes = dict.fromkeys(f"{each.cause} in {each.where}" for each in self.report.findings)
        return f"{self.name}: {self.verdict}" + (f": {', '.join(causes)}" if causes else "")


@dataclass
class Results:
    """All of them, in order."""

    title: str
    of: str  # what stands in the first column
    device: str
    seed: int
    results: list[Result] = field(default_factory=list)

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C has left some out."""
        return any(result.is_interrupted for result in self.results)

    @property
    def reports(self) -> list[Report]:
        return [result.report for result in self.results if result.report is not None]

    @property
    def status(self) -> int:
        """What is wrong comes before what could not be checked; no check at all is no success."""
        if self.interrupted:
            return INTERRUPTED
        if any(report.verdict != "right" for report in self.reports):
            return WRONG
        is_usable = self.reports and not any(result.is_error for result in self.results)
        return RIGHT if is_usable else USAGE

    def show(self, console: Console) -> None:
        """A table, the reports of all that is not right, and what was not checked."""
        if self.reports:
            console.print(self._table())
        for report in self.reports:
            if report.verdict != "right":
                show(report, console)
        for result in self.results:
            if result.report is None:
                where = err if result.is_error else console
                where.print(result.summary, soft_wrap=True, markup=False, highlight=False)

    def _table(self) -> Table:
        table = Table(title=f"{self.title}, cross-checked", title_justify="left")
        table.add_column(self.of)
        table.add_column("checked")
        table.add_column("error / tolerance", justify="right")  # the worst of all checks
        table.add_column("verdict")
        for report in self.reports:
            made = sum(check.status != "skipped" for check in report.checks)
            skipped = len(report.checks) - made
            table.add_row(
                report.candidate,
                f"{made} check{'s' * (made != 1)}" + (f", {skipped} skipped" if skipped else ""),
                f"{report.worst:.2g}",
                f"[{STYLES[report.verdict]}]{report.verdict}[/]",
            )
        return table

    def json(self) -> str:
        document: dict[str, Any] = {
            "torchref": __version__,
            "device": self.device,
            "seed": self.seed,
            "interrupted": self.interrupted,
            "reports": [report.to_dict() for report in self.reports],
            "not_checked": [
                {"name": result.name, "why": result.why, "error": result.is_error}
                for result in self.results
                if result.report is None
            ],
        }
        return json.dumps(document, indent=2) + "\n"
