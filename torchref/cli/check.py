"""`torchref check`: the user's own Functions, by their address."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated

import typer
from rich.console import Console

from torchref import InputError
from torchref.checker.causes.table import CAUSES
from torchref.checker.promise import VARIED
from torchref.checker.report.text import show
from torchref.cli.crosscheck import Device
from torchref.cli.reporting.delivery import JsonFile, JunitFile, deliver_results, require_places
from torchref.cli.reporting.gathering import bar
from torchref.cli.reporting.results import Results
from torchref.cli.targets.checked import checked
from torchref.cli.targets.target import Given
from torchref.errors import known
from torchref.explainer.number_options import Seed, real_number, whole_number

EPILOG = (
    "A FILE alone is all Functions that it defines, with the inputs that stand in it as "
    "`cases = {NAME: [(x, ...)]}` or `NAME_cases`, and the reference `NAME_reference`.\n\n"
    "Exit status: 0 all right, 1 one is wrong or cannot be told, 2 bad usage or nothing to check, "
    "130 Ctrl-C, 143 SIGTERM. `torchref causes` explains what a finding says.\n\n"
    'Examples:\n\n`torchref check kernels.py:BiasGelu --inputs "randn(4, 3), randn(3)"`\n\n'
    "`torchref check kernels.py:BiasGelu --cases kernels.py:cases --reference gelu_reference`\n\n"
    "`torchref check kernels.py --junit report.xml`"
)


def check_command(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="FILE.py:NAME or PACKAGE.MODULE:NAME; or a FILE or MODULE, for all.",
        ),
    ],
    reference: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="What it should equal; a NAME alone is of TARGET's file."
        ),
    ] = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            metavar="EXPRESSION",
            help='As "randn(4, 3), bias=randn(3)"; once more for further ones.',
        ),
    ] = None,
    cases: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Inputs, or a function that returns them.")
    ] = None,
    wrt: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Differentiate by this input alone; once more for a further one."
        ),
    ] = None,
    order: Annotated[
        int | None,
        whole_number(
            1, 2, help="Of derivatives: 2 if it is differentiated twice.", show_default="1"
        ),
    ] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(metavar="CAUSE=REASON", help="A cause that is meant, and why; repeatable."),
    ] = None,
    surrogate: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Whose gradient it should have.")
    ] = None,
    domain: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A predicate: no other inputs are tried.")
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND", help=f"Of other inputs try these: {', '.join(VARIED)}; repeatable."
        ),
    ] = None,
    no_vary: Annotated[
        bool, typer.Option("--no-vary", help="Try no inputs but those given.")
    ] = False,
    tolerance: Annotated[
        float | None,
        real_number(help="The relative error that it may have.", show_default="0"),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(help="native (the inputs' dtype) or double.", show_default="found out"),
    ] = None,
    seconds: Annotated[
        float | None,
        real_number(help="The most that the check of each may take."),
    ] = None,
    isolate: Annotated[
        bool | None,
        typer.Option(
            "--isolate/--no-isolate",
            help="Work in another process, that a crash ends alone; it takes seconds to start.",
            show_default="isolate, if it can be sent there",
        ),
    ] = None,
    thorough: Annotated[
        bool | None,
        typer.Option(
            "--thorough/--quick",
            help="Quick judges the given inputs alone, thorough tries others too.",
        ),
    ] = None,
    device: Device = "cpu",
    seed: Seed = 0,
    json_file: JsonFile = None,
    junit_file: JunitFile = None,
) -> None:
    """Is the gradient of your Function, Module or callable right? Where is it wrong, and why?

    It is held to the reference's, or without one to differences of its own forward: at the inputs,
    and at others made of them.
    """
    files = {"--json": json_file, "--junit": junit_file}
    require_places(files)
    _require_apart({"--vary": vary, "--no-vary": no_vary})
    _require_apart({"--vary": vary, "--quick": thorough is False})
    _require_apart({"--inputs": inputs, "--cases": cases})
    promised = {
        "wrt": wrt or None,
        "order": order,
        "expect": _expected(expect or []) or None,
        "vary": False if no_vary else _varied(vary or []) or None,
        "tolerance": tolerance,
        "precision": precision,
        "seconds": seconds,
        "thorough": thorough,
        "seed": seed,
    }
    given = Given(
        {"reference": reference, "cases": cases, "surrogate": surrogate, "domain": domain},
        inputs or [],
        {name: each for name, each in promised.items() if each is not None},
        device,
        seed,
    )
    results = Results(target, "candidate", device, seed)
    with bar() as show:
        results.results = checked(target, given, isolate, show)
    deliver_results(results, files, partial(_tell, results))


def _require_apart(options: Mapping[str, object]) -> None:
    """Raise `InputError` where all of them are given: one would go unheard."""
    if all(options.values()):
        names = " and ".join(options)
        fix = "Leave one of them out."
        raise InputError(f"{names} must not stand together", "both were given", fix)


def _tell(results: Results, console: Console) -> None:
    """A report alone needs no table."""
    if len(results.results) == len(results.reports) == 1:
        show(results.reports[0], console)
    else:
        results.show(console)


def _expected(given: list[str]) -> dict[str, str]:
    causes = {}
    for each in given:
        cause, equals, reason = each.partition("=")
        if not equals or not reason.strip():
            raise InputError(
                "--expect must be CAUSE=REASON",
                f"{each!r} arrived",
                f'Write --expect {cause or "mutates-input"}="why it is meant".',
            )
        causes[known(cause.strip(), CAUSES, "--expect", "`torchref causes` lists them.")] = reason
    return causes


def _varied(given: list[str]) -> list[str]:
    return [known(kind, VARIED, "--vary", "Leave it out to try all.") for kind in given]
