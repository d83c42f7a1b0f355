"""Where results go: files first, then the terminal, whatever of them fails."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from torchref.cli.reporting.junit import junit
from torchref.cli.reporting.results import Results
from torchref.cli.terminal import RIGHT, STANDARD, err, out, require_writable, write_out
from torchref.errors import InputError, not_writable


def named_file(given: str) -> Path:
    """Reads an option that takes a file; it raises `typer.BadParameter` where it names none."""
    if not given:
        raise typer.BadParameter("it must name a file, but '' arrived")
    return Path(given)


JsonFile = Annotated[
    Path | None,
    typer.Option(
        "--json",
        parser=named_file,
        metavar="FILE",
        help="Write what is found as JSON; - is standard output.",
    ),
]
JunitFile = Annotated[
    Path | None,
    typer.Option(
        "--junit",
        parser=named_file,
        metavar="FILE",
        help="Write it as JUnit XML, which CI reads.",
    ),
]
Files = Mapping[str, Path | None]  # by option
Text = Callable[[], str]


def require_places(files: Files) -> None:
    """Raise `InputError` for files that cannot be written, before the work."""
    taken: dict[Path, str] = {}
    for option, file in files.items():
        if file is None:
            continue
        if file in taken:
            fix = "Give each a file of its own."
            raise InputError(f"{taken[file]} and {option} must differ", f"both are {file}", fix)
        taken[file] = option
        if str(file) != STANDARD:
            require_writable(option, file)


def deliver(
    files: Files,
    texts: Mapping[str, Text],
    tell: Callable[[Console], None],
    summaries: Iterable[str],
    status: int,
) -> None:
    """Write all of it and end with its status; what one place does not take, the others still get.

    `texts` are what each option's file receives. Where standard output is given to one of them,
    the rest is told on standard error; where it takes no more, the summaries are.
    """
    refused, document = [], None
    for option, file in files.items():
        if file is None:
            continue
        if str(file) == STANDARD:
            document = texts[option]()
            continue
        try:
            file.write_text(texts[option](), encoding="utf-8")
        except OSError as error:
            refused.append(not_writable(option, file, error))
    try:
        write_out(document or "")
        tell(out if document is None else err)
        write_out("")
    except OSError:
        for summary in summaries:
            err.print(summary, soft_wrap=True, markup=False, highlight=False)
        raise
    if refused:
        raise refused[0]
    if status != RIGHT:
        raise typer.Exit(status)


def deliver_results(
    results: Results, files: Files, tell: Callable[[Console], None] | None = None
) -> None:
    """Cross-checks as JSON, as JUnit XML, and told as they tell themselves unless otherwise."""
    texts = {"--json": results.json, "--junit": lambda: junit(results)}
    summaries = (result.summary for result in results.results)
    deliver(files, texts, tell or results.show, summaries, results.status)
