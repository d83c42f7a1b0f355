"""`torchref audit`: run a program as it is, and cross-check the Functions that it applies."""

import json
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from torchref import AuditReport, InputError, __version__
from torchref.auditor.report.page import page
from torchref.auditor.report.text import show
from torchref.cli.auditing.scan import scan_command
from torchref.cli.auditing.settings import of_options, of_project
from torchref.cli.auditing.watched import HeardOfProgram, watched
from torchref.cli.reporting.delivery import JsonFile, deliver, named_file, require_places
from torchref.cli.terminal import INTERRUPTED, RIGHT, USAGE, WRONG, err
from torchref.explainer.number_options import Seed, real_number, whole_number

MOST_CALLS, MOST_MIB = 2**31, 2**31
CALLS, MEMORY = 3, 256  # the defaults
MUST = {
    "script": "torchref audit must be given a script with Python code",
    "module": "torchref audit -m must be given a module that can be run",
}
FIX = {
    "script": "Give its path from the folder in which you are; a module is given by -m.",
    "module": "Run where Python finds it; a file is given by its path, without -m.",
}
EPILOG = (
    "Exit status: 0 all right, 1 one is wrong or cannot be told, 2 bad usage, or a program that "
    "fails or applies no Function; 130 after Ctrl-C, 143 after SIGTERM. Options of the audit come "
    "before the script, all behind it belong to the program.\n\n"
    "Examples:\n\n`torchref audit train.py --epochs 1`\n\n"
    "`torchref audit --html audit.html -m package.train`\n\n"
    "`torchref audit --expect Round=straight-through train.py`\n\n"
    "`torchref audit --scan liger-kernel`"
)


def audit_command(
    program: Annotated[
        list[str] | None,
        typer.Argument(metavar="SCRIPT|MODULE [ARGS]...", help="The program, and its arguments."),
    ] = None,
    is_module: Annotated[
        bool, typer.Option("-m", help="It is a module, as for python -m.", show_default=False)
    ] = False,
    reference: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=module:function", help="What a Function should equal; repeatable."
        ),
    ] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=REASON",
            help="Why a Function is not the gradient of its forward; repeatable.",
        ),
    ] = None,
    isolate: Annotated[
        bool, typer.Option("--isolate", help="Check each Function in processes of its own.")
    ] = False,
    calls: Annotated[int, whole_number(1, MOST_CALLS, help="Calls kept of each Function.")] = CALLS,
    memory: Annotated[
        int, whole_number(1, MOST_MIB, help="MiB that their copies may take.")
    ] = MEMORY,
    seed: Seed = 0,
    seconds: Annotated[
        float | None,
        real_number(help="A limit on each of the cross-checks."),
    ] = None,
    json_file: JsonFile = None,
    html_file: Annotated[
        Path | None,
        typer.Option("--html", parser=named_file, metavar="FILE", help="Write it as one page."),
    ] = None,
    scan: Annotated[
        str | None,
        typer.Option(
            "--scan",
            metavar="PACKAGE",
            help="Run nothing: list the Functions that a package, folder or file defines, and what "
            "each lacks, by reading its source.",
        ),
    ] = None,
) -> None:
    """Run a program as it is, and cross-check every Function that it applies."""
    if scan is not None:
        others = {
            "--html": html_file,
            "-m": is_module,
            "--reference": reference,
            "--expect": expect,
            "--isolate": isolate,
            "--seconds": seconds,
            "--calls": calls != CALLS,
            "--memory": memory != MEMORY,
            "--seed": seed,
        }
        _scan(scan, program, json_file, [name for name, given in others.items() if given])
        return
    if not program:
        raise InputError(MUST["script"], "none arrived", FIX["script"])
    files = {"--json": json_file, "--html": html_file}
    require_places(files)
    if seconds is not None and not seconds > 0:
        raise InputError("--seconds must be more than 0", f"{seconds} arrived", "Leave it out.")
    if not program[0]:
        what = "module" if is_module else "script"
        raise InputError(MUST[what], "an empty name arrived", FIX[what])
    if not is_module and not Path(program[0]).is_file():
        what = "a folder" if Path(program[0]).is_dir() else "not there"
        raise InputError(MUST["script"], f"{program[0]} is {what}", FIX["script"])
    project = of_project(Path.cwd())
    settings = {
        "is_module": is_module,
        "calls": calls,
        "memory": memory * 2**20,
        "expect": project["expect"] | of_options("--expect", expect or ()),
        "references": project["reference"] | of_options("--reference", reference or ()),
        "options": {"seed": seed, "seconds": seconds, "isolate": isolate},
    }
    heard = _watched(program, settings)
    if heard.how == "absent":
        what = "module" if is_module else "script"
        raise InputError(MUST[what], heard.told, FIX[what])
    if heard.refused is not None:
        raise InputError(*heard.refused)
    report = heard.report()
    document = {"torchref": __version__, "torch": torch.__version__, "seed": seed}
    document |= {"program": program, **report.to_dict()}
    texts = {
        "--json": lambda: json.dumps(document, indent=2) + "\n",
        "--html": lambda: page(report, document),
    }
    summaries = (f"{row.name}: {row.verdict}" for row in report.rows)
    deliver(files, texts, partial(show, report), summaries, _status(heard, report))


def _scan(
    package: str, program: list[str] | None, json_file: Path | None, others: list[str]
) -> None:
    beside = [*map(repr, program or ()), *others]
    if beside:
        arrived = f"{', '.join(beside)} arrived beside it"
        raise InputError("--scan must stand alone or with --json", arrived, "It runs no program.")
    scan_command(package, json_file)


def _watched(program: list[str], settings: dict[str, Any]) -> HeardOfProgram:
    """What came of it; on a terminal, a line on standard error says what is tried meanwhile."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    progress = Progress(*columns, console=err, transient=True, disable=not err.is_terminal)
    task = progress.add_task("")

    def tell(heard: HeardOfProgram) -> None:
        if heard.functions is not None:  # until then the terminal is the program's
            progress.update(task, description=f"audit: {heard.trying}"[:60])
            progress.start()

    try:
        return watched(program, settings, tell)
    finally:
        progress.stop()


def _status(heard: HeardOfProgram, report: AuditReport) -> int:
    if heard.is_interrupted:
        return INTERRUPTED
    if report.verdict == "wrong":
        return WRONG
    if heard.how != "ended" or not report.rows:
        return USAGE
    return RIGHT if report.verdict == "right" else WRONG
