"""`torchref crosscheck`: the handwritten ops of the catalogue, all of them or some."""

import json
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from torchref import Report, __version__, crosscheck
from torchref.catalogue import CATALOGUE, Entry
from torchref.checker.promise import MOST_SEED
from torchref.checker.report.text import STYLES, show
from torchref.cli.terminal import WRONG, device_named, err, known, out, require_writable
from torchref.explainer.whole_number_option import whole_number

EPILOG = (
    "Exit status: 0 all right, 1 one is wrong or cannot be told, 2 bad usage. "
    "`torchref causes` explains what a finding says.\n\n"
    "Examples:\n\n`torchref crosscheck`\n\n`torchref crosscheck LogLoss --json report.json`\n\n"
    "`torchref crosscheck --device cuda`"
)


def crosscheck_command(
    ops: Annotated[
        list[str] | None, typer.Argument(help="Ops of the catalogue; all of them if none.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    seed: Annotated[
        int,
        typer.Option(
            parser=whole_number(0, MOST_SEED),
            metavar="INTEGER",
            help=f"Of inputs, cotangents, directions: 0 to {MOST_SEED}.",
        ),
    ] = 0,
    isolate: Annotated[
        bool | None,
        typer.Option(
            "--isolate/--no-isolate",
            help="Check each op in a process of its own; the default on cuda.",
            show_default=False,
        ),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the reports as JSON.")
    ] = None,
) -> None:
    """Cross-check the handwritten ops against autograd and against differences."""
    everything = "Leave it out to check them all."
    names = [known(name, CATALOGUE, "an op", everything) for name in ops or CATALOGUE]
    where = device_named(device)
    if json_file is not None:
        require_writable("--json", json_file)
    apart = where.type == "cuda" if isolate is None else isolate
    reports = _crosscheck_all([CATALOGUE[name] for name in names], where, seed, apart)
    out.print(_table(reports))
    for report in reports:
        if report.verdict != "right":
            show(report, out)
    if json_file is not None:
        document = {"torchref": __version__, "device": device, "seed": seed}
        document["reports"] = [report.to_dict() for report in reports]
        json_file.write_text(json.dumps(document, indent=2) + "\n")
    if any(report.verdict != "right" for report in reports):
        raise typer.Exit(WRONG)


def _crosscheck_all(
    entries: list[Entry], device: torch.device, seed: int, isolate: bool
) -> list[Report]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    reports = []
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("", total=len(entries))
        for entry in entries:

            def tell(what: str, op: str = entry.name) -> None:
                progress.update(task, description=f"{op}: {what}"[:60])

            first, *others = entry.inputs(seed, device)
            report = crosscheck(
                entry.op,
                entry.twin,
                first,
                samples=others,
                seed=seed,
                order=2,
                isolate=isolate,
                progress=tell,
            )
            reports.append(report)
            progress.advance(task)
            if not isolate and any(check.name == "device" for check in report.checks):
                break  # an assertion of a kernel's has ended the CUDA context
    return reports


def _table(reports: list[Report]) -> Table:
    table = Table(title="handwritten gradients, cross-checked", title_justify="left")
    table.add_column("op")
    table.add_column("checked")
    table.add_column("error / tolerance", justify="right")  # the worst of all checks
    table.add_column("verdict")
    for report in reports:
        made = sum(check.status != "skipped" for check in report.checks)
        skipped = len(report.checks) - made
        table.add_row(
            report.candidate,
            f"{made} checks" + (f", {skipped} skipped" if skipped else ""),
            f"{report.worst:.2g}",
            f"[{STYLES[report.verdict]}]{report.verdict}[/]",
        )
    return table
