"""`torchref check`: the user's own Functions, by their address."""

import sys
from contextlib import redirect_stdout
from functools import partial
from typing import Annotated

import typer
from rich.console import Console

from torchref import InputError, Report, crosscheck
from torchref.checker.causes.table import CAUSES
from torchref.checker.execution.isolation import NotIsolatedError
from torchref.checker.promise import VARIED
from torchref.checker.report.progress import Tick
from torchref.checker.report.text import show
from torchref.cli.crosscheck import Device, Seed
from torchref.cli.reporting.delivery import JsonFile, JunitFile, deliver_results, require_places
from torchref.cli.reporting.results import Result, Results, gather
from torchref.cli.targets.target import Given, Target, targets
from torchref.cli.terminal import device_named, err, known

EPILOG = (
    "A FILE alone is all Functions that it defines, with the inputs that stand in it as "
    "`cases = {NAME: [(x, ...)]}` or `NAME_cases`, and the reference `NAME_reference`.\n\n"
    "Exit status: 0 all right, 1 one is wrong or cannot be told, 2 bad usage or nothing to check, "
    "130 Ctrl-C. `torchref causes` explains what a finding says.\n\n"
    'Examples:\n\n`torchref check kernels.py:BiasGelu --inputs "randn(4, 3), randn(3)"`\n\n'
    "`torchref check kernels.py:BiasGelu --cases kernels.py:cases --reference gelu_reference`\n\n"
    "`torchref check kernels.py --junit report.xml`"
)


def check_command(
    target: Annotated[
        str,
        typer.Argument(help="FILE.py:NAME or PACKAGE.MODULE:NAME; or a FILE or MODULE, for all."),
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
            help='As "randn(4, 3), bias=randn(3)". Once more for further ones.',
        ),
    ] = None,
    cases: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Inputs, or a function that returns them.")
    ] = None,
    wrt: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Differentiate this input alone, or several such."),
    ] = None,
    order: Annotated[
        int | None, typer.Option(help="2 if it is differentiated twice.", show_default="1")
    ] = None,
    expect: Annotated[
        list[str] | None, typer.Option(metavar="CAUSE=REASON", help="A cause that is meant.")
    ] = None,
    surrogate: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Whose gradient it should have.")
    ] = None,
    domain: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A predicate: no other inputs are tried.")
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND", help=f"Of other inputs try these: {', '.join(VARIED)}."),
    ] = None,
    no_vary: Annotated[
        bool, typer.Option("--no-vary", help="Try no inputs but those given.")
    ] = False,
    tolerance: Annotated[
        float | None, typer.Option(help="The relative error that it may have.", show_default="0")
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(help="native (the inputs' dtype) or double.", show_default="found out"),
    ] = None,
    seconds: Annotated[float | None, typer.Option(help="A limit on the time of each.")] = None,
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
        typer.Option("--thorough/--quick", help="Quick judges the given inputs alone."),
    ] = None,
    device: Device = "cpu",
    seed: Seed = 0,
    json_file: JsonFile = None,
    junit_file: JunitFile = None,
) -> None:
    """Is the gradient of your Function, Module or callable right? Where is it wrong, and why?"""
    files = {"--json": json_file, "--junit": junit_file}
    require_places(files)
    if vary and no_vary:
        fix = "Leave one of them out."
        raise InputError("--vary and --no-vary must not stand together", "both were given", fix)
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
        device_named(device),
        seed,
    )
    results = Results(target, "candidate", device, seed)
    with redirect_stdout(sys.stderr):  # what the user's code prints is no report
        found = list(targets(target, given))
        checks = [
            (each.name, partial(_check, each, isolate))
            for each in found
            if isinstance(each, Target)
        ]
        gather(results, checks, isolate is not False)
        results.results += [each for each in found if isinstance(each, Result)]
    deliver_results(results, files, partial(_tell, results))


def _check(target: Target, isolate: bool | None, tell: Tick) -> Report:
    """In another process, unless that was declined, or nobody asked for it and it cannot be."""
    call = partial(crosscheck, target.candidate, **target.arguments, progress=tell)
    if isolate is False:
        return call()
    try:
        return call(isolate=True)
    except NotIsolatedError as error:
        if isolate:
            raise
        told = f"note: {target.name} is checked in this process, which a crash would end: {error}"
        err.print(told, soft_wrap=True, markup=False, highlight=False)
        return call()


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
