"""A report told on a terminal: the verdict, each finding in three lines, what was tried."""

from typing import Protocol

from rich.console import Console
from rich.text import Text

from torchref.checker.report.findings import Check, Finding, Verdict
from torchref.checker.report.table import say

STYLES = {"right": "bold green", "wrong": "bold red", "cannot tell": "bold yellow"}


class Told(Protocol):
    """What there is to tell of a report."""

    @property
    def candidate(self) -> str: ...
    @property
    def reference(self) -> str | None: ...
    @property
    def verdict(self) -> Verdict: ...
    @property
    def findings(self) -> tuple[Finding, ...]: ...
    @property
    def checks(self) -> tuple[Check, ...]: ...
    @property
    def notes(self) -> tuple[str, ...]: ...
    @property
    def hazards(self) -> tuple[Finding, ...]: ...
    @property
    def expected(self) -> tuple[tuple[Finding, str], ...]: ...
    @property
    def worst(self) -> float: ...


def tell(report: Told) -> str:
    """The report as plain text."""
    return "\n".join(line.plain for line in lines(report))


def show(report: Told, console: Console) -> None:
    """The report on a console, in colour where that is a terminal."""
    for line in lines(report):
        say(line, console)


def lines(report: Told) -> list[Text]:
    against = f" against {report.reference}" if report.reference else ""
    told = [
        Text.assemble(
            (report.candidate, "bold"), f"{against}: ", (report.verdict, STYLES[report.verdict])
        )
    ]
    for number, finding in enumerate(report.findings, start=1):
        told += finding_lines(f"{number}.", finding)
    for hazard in report.hazards:
        told += finding_lines("hazard:", hazard)
    for finding, reason in report.expected:
        told.append(Text(f"  expected: {finding.cause} in {finding.where}: {reason}"))
    told += [Text(f"  note: {note}", style="dim") for note in report.notes]
    passed = [check for check in report.checks if check.status == "passed"]
    if passed:
        told.append(Text(f"  passed: {', '.join(check.name for check in passed)}", style="dim"))
    alike: dict[tuple[str, str], list[str]] = {}  # those that one reason left out, as out of time
    for check in report.checks:
        if check.status in ("cannot tell", "skipped"):
            alike.setdefault((check.status, check.note), []).append(check.name)
    for (status, note), names in alike.items():
        told.append(Text(f"  {status}: {', '.join(names)}: {note}", style="dim"))
    told.append(Text(f"  worst error: {report.worst:.2g} of its tolerance", style="dim"))
    return told


def finding_lines(lead: str, finding: Finding) -> list[Text]:
    """What and where, why, and what to look at."""
    return [
        Text.assemble(f"  {lead} ", (finding.cause, "bold"), f" in {finding.where}, {finding.at}"),
        Text(f"     {finding.evidence}"),
        Text(f"     {finding.look_at}", style="italic"),
    ]
