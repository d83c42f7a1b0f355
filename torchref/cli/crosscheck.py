"""`torchref crosscheck`: the handwritten ops of the catalogue, all of them or some."""

from contextlib import suppress
from functools import partial
from typing import Annotated

import torch
import typer

from torchref import Report, crosscheck
from torchref.catalogue import CATALOGUE, Entry
from torchref.checker.report.progress import Tick
from torchref.cli.reporting.delivery import JsonFile, JunitFile, deliver_results, require_places
from torchref.cli.reporting.gathering import bar, gather, left_out
from torchref.cli.reporting.results import Results
from torchref.cli.targets.device import device_named
from torchref.errors import known
from torchref.explainer.number_options import Seed

EPILOG = (
    "Exit status: 0 all right, 1 one is wrong or cannot be told, 2 bad usage, 130 Ctrl-C, "
    "143 SIGTERM. `torchref causes` explains what a finding says.\n\n"
    "Examples:\n\n`torchref crosscheck`\n\n`torchref crosscheck LogLoss --json report.json`\n\n"
    "`torchref crosscheck --device cuda`"
)


Device = Annotated[str, typer.Option(help="cpu or cuda.")]


def crosscheck_command(
    ops: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="OP",
            help="Of the handwritten ops; all if none. `torchref ops` lists them.",
        ),
    ] = None,
    device: Device = "cpu",
    seed: Seed = 0,
    isolate: Annotated[
        bool | None,
        typer.Option(
            "--isolate/--no-isolate",
            help="Check each op in a process of its own; the default on cuda.",
            show_default=False,
        ),
    ] = None,
    json_file: JsonFile = None,
    junit_file: JunitFile = None,
) -> None:
    """Cross-check the handwritten ops against autograd and against differences."""
    everything = "Leave it out to check them all."
    names = [known(name, CATALOGUE, "an op", everything) for name in ops or CATALOGUE]
    where = device_named(device)
    files = {"--json": json_file, "--junit": junit_file}
    require_places(files)
    apart = where.type == "cuda" if isolate is None else isolate
    results = Results("handwritten gradients", "op", device, seed)
    checks = [(name, partial(_check, CATALOGUE[name], where, seed, apart)) for name in names]
    done = results.results
    with bar() as show, suppress(KeyboardInterrupt):
        for result in gather(checks, apart, lambda what: show(what, len(done), len(checks))):
            done.append(result)
    done += left_out(names, done)
    deliver_results(results, files)


def _check(entry: Entry, device: torch.device, seed: int, isolate: bool, tell: Tick) -> Report:
    first, *others = entry.inputs(seed, device)
    return crosscheck(
        entry.op,
        entry.twin,
        first,
        samples=others,
        seed=seed,
        order=2,
        isolate=isolate,
        progress=tell,
    )
