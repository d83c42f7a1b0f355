"""What logging, checkpoints and live checks of the gradients add to the training of the digits.

    bare      the steps alone: batches, gradients, optimiser
    unlogged  a run with its folder and its start and end, and no log point between
    logged    with log points, histograms and checkpoints at their defaults
    checked   with live checks of the gradients too: what `python -m experiments.digits` does

They take turns in one process, so that whatever else the machine does hits all of them, and the
ratio of their times is taken within each round. Of `checked` it is also measured which share of a
run goes into what: that comparison is within one run, and so the steadier.

    python -m experiments.benchmark_logging --rounds 7
"""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.table import Table

from experiments import digits
from experiments.benchmark.folder import Out
from experiments.benchmark.stopwatch import stopped_by
from experiments.benchmark.turns import Clock, take_turns
from torchref.training import Settings, train
from torchref.training.checkpoint import Checkpoints
from torchref.training.contender import Contender
from torchref.training.distribution import Processes
from torchref.training.live_check import LiveCheck
from torchref.training.order import Order
from torchref.training.recorder import Recorder

NEVER = 10**9
HIDDEN = 128
PARTS = {Recorder: "record", LiveCheck: "look", Checkpoints: "save"}


def bare(settings: Settings) -> None:
    """The same steps as those of the run, and nothing else."""
    torch.set_num_threads(settings.threads)
    task = digits.task(settings.seed, HIDDEN)
    examples = task.parts(torch.device("cpu"), settings.torch_dtype)["train"]
    (gradients,) = settings.gradients
    contender = Contender(gradients, task, settings.optimizer, settings.lr, Processes())
    order = Order(len(examples), settings.batch_size, settings.seed)
    for _ in range(settings.epochs_over(len(examples))):
        order.begin()
        while not order.exhausted:
            rows = order.take()
            contender.backpropagate(examples[rows], len(rows))
            contender.optimizer.step()


def run(settings: Settings) -> None:
    train(digits.task(settings.seed, HIDDEN), settings)


def ways(settings: Settings) -> dict[str, Callable[[], None]]:
    unlogged = replace(settings, log_every=NEVER, check_every=0, save_every=NEVER)
    return {
        "bare": partial(bare, settings),
        "unlogged": partial(run, unlogged),
        "logged": partial(run, replace(settings, check_every=0)),
        "checked": partial(run, settings),
    }


def shares(settings: Settings, clock: Clock) -> dict[str, float]:
    """Of one run: which share of its steps' time goes into logging, checks and checkpoints."""
    spent: dict[str, float] = {}
    with ExitStack() as stack:
        for owner, method in PARTS.items():
            stack.enter_context(stopped_by(clock, owner, method, spent))
        start = clock()
        run(settings)
        whole = clock() - start
    steps = whole - sum(spent.values())
    return {name: seconds / steps for name, seconds in spent.items()}


def show_shares(of_runs: list[dict[str, float]], console: Console) -> None:
    table = Table("within one run", "added to the rest", "10 % … 90 %")
    both = [each | {"logging and checks": each["Recorder"] + each["LiveCheck"]} for each in of_runs]
    for name in both[0]:
        values = [each[name] for each in both]
        low, *_, high = quantiles(values, n=10, method="inclusive")
        table.add_row(name, f"{median(values):+.1%}", f"{low:+.1%} … {high:+.1%}")
    console.print(table)


def main(
    rounds: Annotated[int, typer.Option(min=2, help="Turns that each way gets.")] = 7,
    epochs: Annotated[int, typer.Option(min=1, help="Of each training.")] = 60,
    cpu: Annotated[
        bool, typer.Option("--cpu", help="CPU time: steadier where the machine does other work.")
    ] = False,
    out: Out = Path("runs/benchmark_logging"),
) -> None:
    """What logging and live checks add to the training of the digits."""
    clock = time.process_time if cpu else time.perf_counter
    with TemporaryDirectory() as logdir:
        settings = replace(digits.DEFAULTS, epochs=epochs, logdir=Path(logdir), quiet=True)
        timings = take_turns(ways(settings), "bare", rounds, 0, 1, clock)
        within = [shares(settings, clock) for _ in range(rounds)]
    table = Table("way", "seconds", "more than bare", "10 % … 90 %")
    for each in timings:
        ratios = (each.ratio, each.ratio_high, each.ratio_low)
        middle, low, high = (f"{1 / ratio - 1:+.1%}" for ratio in ratios)
        table.add_row(each.way, f"{each.seconds:.2f}", middle, f"{low} … {high}")
    Console().print(table)
    show_shares(within, Console())
    about = {"torch": torch.__version__, "rounds": rounds, "epochs": epochs, "cpu": cpu}
    file = out / "benchmark_logging.json"
    found = {"ways": [asdict(each) for each in timings], "within one run": within}
    file.write_text(json.dumps(about | found, indent=2) + "\n")
    print(f"Written: {file}")


if __name__ == "__main__":
    typer.run(main)
