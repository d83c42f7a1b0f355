"""What logging, checkpoints and live checks of the gradients add to the training of the digits.

    bare      the steps alone: batches, gradients, optimiser
    unlogged  a run with its folder and its start and end, and no log point between
    logged    with log points, histograms and checkpoints at their defaults
    checked   with live checks of the gradients too: what `python -m experiments.digits` does

They take turns in one process, so that whatever else the machine does hits all of them, and the
ratio of their times is taken within each round.

    python -m experiments.benchmark_logging --rounds 7
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.table import Table

from experiments import digits
from experiments.benchmark.folder import Out
from experiments.benchmark.turns import take_turns
from torchref.training import Settings, train
from torchref.training.contender import Contender
from torchref.training.distribution import Processes
from torchref.training.order import Order

NEVER = 10**9
HIDDEN = 128


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
    table = Table("way", "seconds", "more than bare", "10 % … 90 %")
    for each in timings:
        median, low, high = (
            f"{1 / ratio - 1:+.1%}" for ratio in (each.ratio, each.ratio_high, each.ratio_low)
        )
        table.add_row(each.way, f"{each.seconds:.2f}", median, f"{low} … {high}")
    Console().print(table)
    about = {"torch": torch.__version__, "rounds": rounds, "epochs": epochs, "cpu": cpu}
    file = out / "benchmark_logging.json"
    file.write_text(json.dumps(about | {"ways": [asdict(t) for t in timings]}, indent=2) + "\n")
    print(f"Written: {file}")


if __name__ == "__main__":
    typer.run(main)
