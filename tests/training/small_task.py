"""A task that trains in a blink, what interrupts it, and what it wrote."""

import csv
import signal
from pathlib import Path
from typing import Any

import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import torchref.nn as nn
from torchref.explainer.chain.forward import MOST_NEURONS
from torchref.training import Dtype, Examples, Gradients, Outcome, Settings, Task, train
from torchref.training.loop.loop import Loop

TOO_MANY_TO_DRAW = MOST_NEURONS + 1  # a picture takes longer than the training
BOTH = [Gradients.HANDWRITTEN, Gradients.TORCH]


def examples(seed: int = 0, count: int = 23) -> Examples:
    generator = torch.Generator().manual_seed(seed)
    return Examples(
        torch.randn(count, 4, generator=generator, dtype=torch.float64),
        torch.rand(count, 2, generator=generator, dtype=torch.float64),
    )


def task(network: torch.nn.Module | None = None, **changes: Any) -> Task:
    torch.manual_seed(0)
    network = nn.SigmoidNetwork((4, TOO_MANY_TO_DRAW, 2)) if network is None else network
    return Task("small", network, nn.MSELoss(), examples(), examples(1, 11), **changes)


def settings(logdir: Path, **changes: Any) -> Settings:
    kept: dict[str, Any] = {
        "dtype": Dtype.FLOAT64,
        "epochs": 6,
        "batch_size": 5,
        "check_every": 1,
        "quiet": True,
    }
    return Settings(**(kept | {"logdir": logdir} | changes))


def trained(logdir: Path, **changes: Any) -> Outcome:
    return train(task(), settings(logdir, **changes))


take_step = Loop.step


def asked_to_stop_in_step_12(loop: Loop, batches: list[Examples]) -> None:
    take_step(loop, batches)
    if loop.progress.step == 12:
        signal.raise_signal(signal.SIGTERM)


def curve(outcome: Outcome, run: str, tag: str) -> list[tuple[int, float]]:
    accumulator = EventAccumulator(str(outcome.folder / run), size_guidance={"scalars": 0})
    return [(each.step, each.value) for each in accumulator.Reload().Scalars(tag)]


def rows(folder: Path) -> list[tuple[str, ...]]:
    """All lines of metrics.csv but the timings, which no run repeats."""
    with (folder / "metrics.csv").open(newline="") as file:
        return [tuple(row) for row in csv.reader(file) if not row[2].startswith("time/")]
