"""What came of cross-checking several candidates, as a table, as JSON and as an exit status."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from torchref import InputError, Report, __version__
from torchref.checker.report.progress import Tick
from torchref.checker.report.report import InterruptionError
from torchref.checker.report.text import STYLES, show
from torchref.cli.terminal import INTERRUPTED, RIGHT, USAGE, WRONG, err

Check = Callable[[Tick], Report]


@dataclass(frozen=True)
class Result:
    """What came of one candidate: a report, or why there is none.

    `is_error` where a check was meant, and what was given for it cannot be worked with.
    """

    name: str
    report: Report | None = None
    why: str = ""
    is_error: bool = False
    seconds: float = 0.0

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
    """All of them, in order; `interrupted` where Ctrl-C left some out."""

    title: str
    of: str  # what stands in the first column
    device: str
    seed: int
    results: list[Result] = field(default_factory=list)
    interrupted: bool = False

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


def gather(into: Results, checks: Sequence[tuple[str, Check]], isolate: bool) -> None:
    """Make the checks one after the other, until the last, or Ctrl-C.

    What a check raises is its result. Without `isolate`, an assertion on the device is the end.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("", total=len(checks))
        for name, check in checks:

            def tell(what: str, name: str = name) -> None:
                progress.update(task, description=f"{name}: {what}"[:60])

            try:
                result = _made(name, check, tell)
            except KeyboardInterrupt as interruption:
                into.interrupted = True
                if isinstance(interruption, InterruptionError):
                    into.results.append(Result(name, interruption.report))
                break
            into.results.append(result)
            progress.advance(task)
            if not isolate and result.tried("device"):
                break  # an assertion of a kernel's has ended the CUDA context
    for name, _ in checks[len(into.results) :]:
        why = "Ctrl-C came before" if into.interrupted else "no CUDA call works in this process"
        into.results.append(Result(name, why=why))


def _made(name: str, check: Check, tell: Tick) -> Result:
    start = time.monotonic()
    report, why = None, ""
    tell("")
    try:
        report = check(tell)
    except InputError as error:
        why = str(error)
    except (Exception, SystemExit) as error:
        why = f"{type(error).__name__} came out of it: {error}"
    return Result(name, report, why, report is None, time.monotonic() - start)
