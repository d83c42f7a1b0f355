"""What logging, checkpoints and live checks of the gradients add to the training of the digits.

    bare      the steps alone: batches, gradients, optimiser
    unlogged  a run with its folder and its start and end, and no log point between
    logged    with log points, histograms and checkpoints at their defaults
    checked   with live checks of the gradients too: what `python -m experiments.digits` does

They take turns, each in a new process, where nothing has been imported or drawn before; the ratio
of their times is taken within each round. Of `checked` it is also measured which share of a run
goes into what: that comparison is within one run, and so the steadier.

    python -m experiments.benchmark_logging --rounds 7
"""

import json
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Annotated

import torch
import typer

from experiments import digits
from experiments.benchmark.folder import Out
from experiments.benchmark.logged_turn import WAYS, Turn, take_turn
from experiments.benchmark.turns import Timing, timing_of, turns
from torchref.checker.report.table import Output, Table

BARE, *_, EVERYTHING = WAYS


def table_of_ways(timings: list[Timing]) -> Table:
    table = Table("way", "seconds", "more than bare", "10 % … 90 %")
    for each in timings:
        ratios = (each.ratio, each.ratio_high, each.ratio_low)
        middle, low, high = (f"{1 / ratio - 1:+.1%}" for ratio in ratios)
        table.add_row(each.way, f"{each.seconds:.2f}", middle, f"{low} … {high}")
    return table


def table_of_shares(of_turns: list[Turn]) -> Table:
    table = Table(f"within {EVERYTHING}", "added to the rest", "10 % … 90 %")
    shares = [turn.shares for turn in of_turns]
    for name in shares[0]:
        values = [each[name] for each in shares]
        low, *_, high = quantiles(values, n=10, method="inclusive")
        table.add_row(name, f"{median(values):+.1%}", f"{low:+.1%} … {high:+.1%}")
    return table


def main(
    rounds: Annotated[int, typer.Option(min=2, help="Turns that each way gets.")] = 7,
    epochs: Annotated[
        int, typer.Option(min=1, help="Of each training.")
    ] = digits.DEFAULTS.epochs_over(1),
    cpu: Annotated[
        bool, typer.Option("--cpu", help="CPU time: steadier where the machine does other work.")
    ] = False,
    out: Out = Path("runs/benchmark_logging"),
) -> None:
    """What logging and live checks add to the training of the digits."""
    measured: dict[str, list[Turn]] = {way: [] for way in WAYS}
    with TemporaryDirectory() as logdir:
        settings = replace(digits.DEFAULTS, epochs=epochs, logdir=Path(logdir), quiet=True)
        for way in turns(WAYS, rounds):
            measured[way].append(take_turn(way, settings, cpu))
    seconds = {way: [turn.seconds for turn in found] for way, found in measured.items()}
    timings = [timing_of(way, mine, seconds[BARE]) for way, mine in seconds.items()]
    Output().print(table_of_ways(timings))
    Output().print(table_of_shares(measured[EVERYTHING]))
    about = {"torch": torch.__version__, "rounds": rounds, "epochs": epochs, "cpu": cpu}
    found = {
        "ways": [asdict(each) for each in timings],
        f"within {EVERYTHING}": [turn.shares for turn in measured[EVERYTHING]],
    }
    file = out / "benchmark_logging.json"
    file.write_text(json.dumps(about | found, indent=2) + "\n")
    print(f"Written: {file}")


if __name__ == "__main__":
    typer.run(main)
