"""`torchref audit --scan PACKAGE`: the Functions in the source of a package, and their lacks."""

import json
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.text import Text

from torchref import __version__
from torchref.auditor.scan import ScannedFunction, Survey, survey
from torchref.checker.report.table import Table
from torchref.cli.reporting.delivery import deliver, require_places
from torchref.cli.terminal import RIGHT, err
from torchref.errors import InputError


def scan_command(package: str, json_file: Path | None) -> None:
    """List the Functions that a package, a folder or a file defines, without importing it.

    Raises `InputError` where there is no such package, or no Function in it.
    """
    require_places({"--json": json_file})
    found = survey(package)
    _tell_skipped(found)
    if not found.functions:
        raise InputError(
            "--scan needs a package that defines Functions",
            f"{found.files} file{'s were' if found.files != 1 else ' was'} read of {package}, and "
            "none defines one",
            "A Function is a class whose bases lead to torch.autograd.Function.",
        )
    texts = {"--json": lambda: _document(package, found) + "\n"}
    addresses = (each.address for each in found.functions)
    deliver({"--json": json_file}, texts, partial(_tell, found.functions), addresses, RIGHT)


def _tell(functions: tuple[ScannedFunction, ...], console: Console) -> None:
    console.print(_table(functions))
    for each in functions:
        if each.check_call is not None:
            console.print(each.check_call, soft_wrap=True, highlight=False, markup=False)


def _tell_skipped(found: Survey) -> None:
    for skipped in found.skipped:
        text = Text.assemble(("skipped: ", "yellow"), f"{skipped.file}: {skipped.why}")
        err.print(text, soft_wrap=True)


def _table(functions: tuple[ScannedFunction, ...]) -> Table:
    count = "1 Function" if len(functions) == 1 else f"{len(functions)} Functions"
    table = Table(title=f"{count}, by source", title_justify="left")
    for column in ("Function", "where", "style", "lacks"):
        table.add_column(column, overflow="fold")
    for each in functions:
        table.add_row(_named(each), Text(f"{each.file.name}:{each.line}"), each.style, _lacks(each))
    return table


def _named(function: ScannedFunction) -> Text:
    notes = []
    if function.condition is not None:
        notes.append(function.condition)
    if not function.reachable:
        notes.append("within a function: no address leads there")
    wrappers = sorted({each.wrapper for each in function.applied if each.wrapper is not None})
    if wrappers:
        notes.append(f"applied in {', '.join(wrappers[:3])}" + ", ..." * (len(wrappers) > 3))
    return Text.assemble(Text(function.address, "bold"), *(f"\n  {note}" for note in notes))


def _lacks(function: ScannedFunction) -> Text:
    lines = (f"{each.file.name}:{each.line} {each.sentence}" for each in function.lacks)
    return Text("\n".join(lines))


def _document(package: str, found: Survey) -> str:
    document = {
        "torchref": __version__,
        "scanned": package,
        "functions": [each.to_dict() for each in found.functions],
        "skipped": [{"file": str(each.file), "why": each.why} for each in found.skipped],
    }
    return json.dumps(document, indent=2)
