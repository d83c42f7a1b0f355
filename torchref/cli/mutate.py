"""`torchref mutate`: which wrong gradients a test suite would let through."""

import json
from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from torchref import __version__
from torchref.checker.report.table import Table, say
from torchref.cli.reporting.delivery import JsonFile, deliver, require_places
from torchref.cli.reporting.gathering import bar
from torchref.cli.terminal import INTERRUPTED, RIGHT, WRONG
from torchref.explainer.number_options import whole_number
from torchref.testing.mutation.mutate import MutationRun
from torchref.testing.mutation.results import OUTCOMES, Mutant, Mutated, MutationReport

EPILOG = (
    "Exit status: 0 the tests catch every wrong gradient, 1 some survive or cannot be told, 2 bad "
    "usage or tests that fail as they are, 130 after Ctrl-C, 143 after SIGTERM.\n\n"
    "Examples:\n\n`torchref mutate -- pytest tests`\n\n"
    "`torchref mutate --functions Swish --seconds 60 -- pytest tests/test_swish.py -k backward`"
)
MOST_JOBS, MOST_SECONDS = 64, 24 * 3600
MOST_SHOWN = 3  # tests that touch a survivor


def mutate_command(
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="-- pytest ARGS", help="How you run your tests."),
    ] = None,
    functions: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only these, or a pattern with *; repeatable. Without it all in your own files "
            "that hold no tests.",
        ),
    ] = None,
    seconds: Annotated[
        int | None,
        whole_number(
            1,
            MOST_SECONDS,
            help="The most that one wrong gradient may take. A test that hangs is ended anyway.",
        ),
    ] = None,
    jobs: Annotated[
        int,
        whole_number(
            1,
            MOST_JOBS,
            help="Processes at a time; more than 1 needs tests that share no files.",
        ),
    ] = 1,
    json_file: JsonFile = None,
) -> None:
    """Test the tests: plant one wrong gradient at a time, and see which the tests let through.

    It finds the Functions that the tests apply, changes the backward of one, reruns the tests that
    touch it, and names each wrong gradient that none of them caught.
    """
    require_places({"--json": json_file})
    run = MutationRun(command or [], functions or [], seconds, jobs)
    is_interrupted = False
    try:
        with bar() as run.progress:
            run.run()
    except KeyboardInterrupt:
        is_interrupted = True
    report = run.report
    document = {"torchref": __version__, "interrupted": is_interrupted, **report.to_dict()}
    status = INTERRUPTED if is_interrupted else RIGHT if report.all_caught else WRONG
    texts = {"--json": lambda: json.dumps(document, indent=2) + "\n"}
    deliver({"--json": json_file}, texts, partial(_show, report), [_sum(report).plain], status)


def _show(report: MutationReport, console: Console) -> None:
    if report.functions:
        console.print(_table(report))
    for each in report.functions:
        _show_one(each, console)
    say(_sum(report), console)


def _table(report: MutationReport) -> Table:
    table = Table(title="wrong gradients, planted one at a time", title_justify="left")
    table.add_column("Function")
    for column in ("tests", "planted", "caught", "timed out", "survived", "cannot tell"):
        table.add_column(column, justify="right")
    for each in report.functions:
        caught, late, survived = (
            len(each.of("caught")),
            len(each.of("timed out")),
            len(each.of("survived")),
        )
        counts = [len(each.tests), len(each.mutants), caught, late]
        table.add_row(
            escape(each.target.short_name),
            *map(str, counts),
            Text(str(survived), "bold red" if survived else ""),
            str(len(each.of("undecided", "not run"))),
        )
    return table


def _show_one(each: Mutated, console: Console) -> None:
    where = f"{each.target.name} ({each.target.file}:{each.target.line})"
    lines: list[Text] = []
    if not each.is_gone_back:
        lines.append(
            Text.assemble(("its backward is never called by the tests", "bold red"), ": ",
                          "go back through it, y.backward(torch.randn_like(y)), and compare")
        )  # fmt: skip
    for mutant in each.of("survived"):
        lines.append(Text.assemble(("survived ", "bold red"), _told(mutant)))
    for mutant in each.of("undecided"):
        at = f"; time was up in {mutant.test}" if mutant.test else ""
        lines.append(Text.assemble(("cannot tell ", "bold yellow"), f"{mutant.name}{at}"))
    if each.left_out:
        lines.append(Text(f"left out, as they fail while watched: {_some(sorted(each.left_out))}"))
    if each.never_asked:
        names = ", ".join(each.never_asked)
        lines.append(Text(f"no test asks for the gradient of {names}: nothing planted there"))
    if lines:
        lines.append(Text(f"the tests that touch it: {_some(each.tests)}"))
        say(Text(where, "bold"), console)
        for line in lines:
            say(Text.assemble("  ", line), console)


def _told(mutant: Mutant) -> str:
    return f"{mutant.name}\n    {mutant.to_see_it}"


def _some(tests: list[str]) -> str:
    more = f" and {len(tests) - MOST_SHOWN} more" if len(tests) > MOST_SHOWN else ""
    return ", ".join(tests[:MOST_SHOWN]) + more


def _sum(report: MutationReport) -> Text:
    counts = report.counts
    parts = [f"{counts[outcome]} {word}" for outcome, word in OUTCOMES.items() if counts[outcome]]
    functions = len(report.functions)
    planted = f"{counts.total()} wrong gradients of {functions} Function{'s' * (functions != 1)}"
    told = f"{planted}: {', '.join(parts) or 'none planted'}, in {report.seconds:.0f} s"
    if not report.is_complete:
        return Text(f"interrupted; until then {told}", "bold yellow")
    return Text(told, "bold" if report.all_caught else "bold red")
