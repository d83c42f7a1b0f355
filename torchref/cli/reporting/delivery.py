"""Where results go: files first, then the terminal, whatever of them fails."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from torchref.cli.reporting.junit import junit
from torchref.cli.reporting.results import Results
from torchref.cli.terminal import RIGHT, STANDARD, err, out, require_writable, write_out
from torchref.errors import InputError, not_writable

JsonFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Write the reports as JSON; - is standard output."),
]
JunitFile = Annotated[
    Path | None,
    typer.Option("--junit", metavar="FILE", help="Write them as JUnit XML, which CI reads."),
]


def require_places(json_file: Path | None, junit_file: Path | None) -> None:
    """Raise `InputError` for files that cannot be written, before the work."""
    for option, file in (("--json", json_file), ("--junit", junit_file)):
        if file is not None and str(file) != STANDARD:
            require_writable(option, file)
    if json_file is not None and json_file == junit_file:
        fix = "Give each a file of its own."
        raise InputError("--json and --junit must differ", f"both are {json_file}", fix)


def deliver(
    results: Results,
    json_file: Path | None,
    junit_file: Path | None,
    tell: Callable[[Console], None],
) -> None:
    """Write all of it and end with its status; what one place does not take, the others still get.

    Where standard output is given to a document, the rest is told on standard error.
    """
    written = {
        "--json": (json_file, results.json),
        "--junit": (junit_file, lambda: junit(results)),
    }
    refused, document = [], None
    for option, (file, text) in written.items():
        if file is None:
            continue
        if str(file) == STANDARD:
            document = text()
            continue
        try:
            file.write_text(text(), encoding="utf-8")
        except OSError as error:
            refused.append(not_writable(option, file, error))
    try:
        write_out(document or "")
        tell(out if document is None else err)
    except OSError:
        for result in results.results:
            err.print(result.summary, soft_wrap=True, markup=False, highlight=False)
        raise
    if refused:
        raise refused[0]
    if results.status != RIGHT:
        raise typer.Exit(results.status)
