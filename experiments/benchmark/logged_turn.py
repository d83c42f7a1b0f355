"""One training of the digits in a process of its own, and which of its time went into what.

Nothing that an earlier one has imported, drawn or warmed up is there: what is needed for the first
time is paid for, as whoever types `python -m experiments.digits` pays. Before the clock starts are
the imports at the heads of the files, the data, and what torch loads for the first optimiser of a
process, its compiler: training and logging would share out among them what neither of them is.
"""

import importlib
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from multiprocessing import get_context
from typing import Any

import torch

from experiments import digits
from experiments.benchmark.stopwatch import Stopwatch
from torchref.training import Settings, Task, train
from torchref.training.checks.live_check import LiveCheck
from torchref.training.log.recorder import Recorder
from torchref.training.loop.batches import batches_of
from torchref.training.loop.first_process import Keeper
from torchref.training.model.model_in_training import Contender
from torchref.training.model.optimisation import Optimisation
from torchref.training.process.distribution import Processes
from torchref.training.run_folder.checkpoint import Checkpoints
from torchref.training.run_folder.run_folder import RunFolder

NEVER = 10**9
HIDDEN = 128
WAYS = ("bare", "unlogged", "logged", "checked")
CHECKPOINTS = "checkpoints"
PARTS: dict[str, list[tuple[Any, str]]] = {
    "run folder, git": [(importlib.import_module("torchref.training.train"), "opened")],
    "its record": [(RunFolder, "mark")],
    "logbook, hparams": [(Keeper, "__init__"), (Keeper, "__exit__")],
    "log points": [(Recorder, "record")],
    "live checks": [(LiveCheck, "look")],
    "texts and chart at the end": [(Keeper, "conclude")],
    CHECKPOINTS: [(Checkpoints, "save")],
}


@dataclass(frozen=True)
class Turn:
    """The seconds of one training, and those of them that each part took."""

    seconds: float
    parts: dict[str, float]

    @property
    def shares(self) -> dict[str, float]:
        """Of each part, in relation to the time that is left for the training itself."""
        training = self.seconds - sum(self.parts.values())
        shares = {name: seconds / training for name, seconds in self.parts.items()}
        logged = sum(share for name, share in shares.items() if name != CHECKPOINTS)
        return shares | {"all that is logged": logged}


def take_turn(way: str, settings: Settings, cpu: bool) -> Turn:
    """In a process that starts with it, and says nothing."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(turn, way, settings, cpu).result()


def turn(way: str, settings: Settings, cpu: bool) -> Turn:
    clock = time.process_time if cpu else time.perf_counter
    task, watch = digits.task(settings.seed, HIDDEN), Stopwatch(clock)
    torch.optim.Adam([torch.zeros(1)])
    with ExitStack() as stack:
        for name, calls in PARTS.items():
            for owner, method in calls:
                stack.enter_context(watch.on(owner, method, name))
        stack.enter_context(redirect_stdout(StringIO()))
        start = clock()
        if way == "bare":
            bare(task, settings)
        else:
            train(task, settings_of(way, settings))
        return Turn(clock() - start, watch.spent)


def settings_of(way: str, settings: Settings) -> Settings:
    match way:
        case "unlogged":
            return replace(settings, log_every=NEVER, check_every=0, save_every=NEVER)
        case "logged":
            return replace(settings, check_every=0)
    return settings


def bare(task: Task, settings: Settings) -> Contender:
    """The same steps as those of the run, and nothing else."""
    torch.set_num_threads(settings.threads)
    examples = task.parts(torch.device("cpu"), settings.torch_dtype)["train"]
    (gradients,) = settings.gradients
    contender = Contender(gradients, task, Optimisation(settings), Processes())
    batches = batches_of(examples, settings, None)
    for _ in range(settings.epochs_over(len(batches))):
        batches.begin()
        while not batches.exhausted:
            contender.backpropagate([batches.take()])
            contender.optimizer.step()
    return contender
