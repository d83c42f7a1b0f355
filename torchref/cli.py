"""The command `torchref`."""

import difflib
import json
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, NoReturn

import torch
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from torchref import InputError, Report, __version__, crosscheck
from torchref.catalogue import CATALOGUE, Entry
from torchref.checker.causes.table import CAUSES
from torchref.checker.promise import MOST_SEED
from torchref.checker.report.text import STYLES, show
from torchref.encoding import escape_what_the_terminal_lacks
from torchref.errors import not_writable
from torchref.explainer.command import EPILOG, explain_command
from torchref.explainer.whole_number_option import whole_number

RIGHT, WRONG, USAGE = 0, 1, 2

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Gradients by hand in PyTorch, and the check that they are right.",
    epilog="Examples:\n\n`torchref crosscheck`\n\n`torchref crosscheck Affine Sigmoid --seed 7`"
    "\n\n`torchref causes`\n\n`torchref explain two-neuron-chain`",
)
out = Console()
err = Console(stderr=True)


def main() -> None:
    """The entry point: bad input is one message and exit status 2, never a traceback."""
    escape_what_the_terminal_lacks()
    try:
        app()
    except InputError as error:
        _end(str(error))
    except OSError as error:  # a disk that fills up under what is written
        _end(f"{error.filename or 'standard output'} takes no more: {error.strerror}")


def _end(message: str) -> NoReturn:
    err.print(f"[bold red]error:[/] {escape(message)}", soft_wrap=True, highlight=False)
    raise SystemExit(USAGE) from None


def _print_version(wanted: bool) -> None:
    if wanted:
        out.print(f"torchref {__version__} (torch {torch.__version__})", highlight=False)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print it and stop."
        ),
    ] = False,
) -> None:
    """Options before the command."""


@app.command(
    name="crosscheck",
    epilog=(
        "Exit status: 0 all right, 1 one is wrong or cannot be told, 2 bad usage. "
        "`torchref causes` explains what a finding says.\n\n"
        "Examples:\n\n`torchref crosscheck`\n\n`torchref crosscheck LogLoss --json report.json`\n\n"
        "`torchref crosscheck --device cuda`"
    ),
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
    names = [_known(name, CATALOGUE, "an op", everything) for name in ops or CATALOGUE]
    where = _device(device)
    if json_file is not None:
        _require_writable(json_file)
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


app.command(name="explain", epilog=EPILOG)(explain_command)


@app.command(
    name="causes", epilog="Examples:\n\n`torchref causes`\n\n`torchref causes missing-term`"
)
def causes_command(
    causes: Annotated[list[str] | None, typer.Argument(help="Some of them; all if none.")] = None,
) -> None:
    """List the causes that a finding may name, what each means and what to look at then."""
    for name in causes or CAUSES:
        cause = CAUSES[_known(name, CAUSES, "a cause", "Leave it out to see them all.")]
        told = Text.assemble((name, "bold"), f"\n  {cause.meaning}\n  ", (cause.look_at, "italic"))
        out.print(told, soft_wrap=True)


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


def _known(name: str, names: Collection[str], what: str, otherwise: str) -> str:
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
        lower = {known.lower(): known for known in names}
        suggestion = lower.get(name.lower(), near[0] if near else None)
        raise InputError(
            f"{what} must be one of {', '.join(names)}",
            f"{name!r} arrived",
            f"Did you mean {suggestion}?" if suggestion else otherwise,
        )
    return name


def _device(name: str) -> torch.device:
    if name not in ("cpu", "cuda"):
        raise InputError("--device must be cpu or cuda", f"{name!r} arrived", "The default is cpu.")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "--device cuda needs a CUDA device and a torch built for it",
            f"torch {torch.__version__} finds none",
            "Leave --device out to run on the CPU.",
        )
    return torch.device(name)


def _require_writable(file: Path) -> None:
    """Found out before the work, not after it."""
    try:
        with file.open("a"):
            pass
    except OSError as error:
        raise not_writable("--json", file, error) from None
