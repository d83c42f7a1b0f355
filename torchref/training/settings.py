"""What every experiment is told on its command line."""

import math
import re
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from torchref.errors import InputError


class Gradients(StrEnum):
    """Who computes the gradients: our Functions under autograd, our loop without it, or torch."""

    HANDWRITTEN = "handwritten"
    SWEEP = "sweep"
    TORCH = "torch"


class Dtype(StrEnum):
    FLOAT32 = "float32"
    FLOAT64 = "float64"


class Optimizer(StrEnum):
    SGD = "sgd"
    MOMENTUM = "momentum"
    ADAM = "adam"


def positive(value: float) -> float:
    if not (math.isfinite(value) and value > 0):
        raise typer.BadParameter(f"{value} is not a positive number.")
    return value


def plain_name(name: str | None) -> str | None:
    if name is not None and (name in ("", ".", "..", "latest") or set(name) & set("/\\")):
        raise typer.BadParameter(f"{name!r} is no name for a folder, or means another one.")
    return name


EPOCHS = 1000  # where neither epochs nor steps are given

# These change nothing of the curve, and so a run may go on with others.
FREE = (
    "crosscheck",
    "device",
    "dry_run",
    "epochs",
    "logdir",
    "quiet",
    "resume",
    "run_name",
    "save_every",
    "steps",
)


@dataclass(frozen=True)
class Settings:
    """The options that all experiments share, each experiment with defaults of its own."""

    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, ... or auto.")] = "cpu"
    dtype: Annotated[Dtype, typer.Option(help="Of data and parameters.")] = Dtype.FLOAT32
    gradients: Annotated[
        list[Gradients],
        typer.Option(help="Who computes them; given several times, all train in step."),
    ] = field(default_factory=lambda: [Gradients.HANDWRITTEN])
    threads: Annotated[
        int, typer.Option(min=1, max=1024, help="On the CPU; small networks are fastest with one.")
    ] = 1
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="The same seed repeats the run exactly.")
    ] = 0
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the data, at most; or give --steps.")
    ] = None
    steps: Annotated[
        int | None, typer.Option(min=1, help="Optimiser steps, at most; or give --epochs.")
    ] = None
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Examples a step; without it all of them.")
    ] = None
    lr: Annotated[float, typer.Option(callback=positive, help="The learning rate.")] = 0.1
    optimizer: Annotated[Optimizer, typer.Option(help="Of torch.optim.")] = Optimizer.SGD
    early_stop: Annotated[
        int, typer.Option(min=0, help="Log points without a better held-out loss; 0: never stop.")
    ] = 0
    log_every: Annotated[
        int | None, typer.Option(min=1, help="Epochs between log points; without it about 500.")
    ] = None
    check_every: Annotated[
        int, typer.Option(min=0, help="Steps between checks of the live gradients; 0: none.")
    ] = 200
    crosscheck: Annotated[
        bool, typer.Option("--crosscheck", help="Cross-check the model that was trained.")
    ] = False
    save_every: Annotated[int, typer.Option(min=1, help="Epochs between checkpoints.")] = 10
    logdir: Annotated[Path, typer.Option(help="Runs go below this folder.")] = Path("runs")
    run_name: Annotated[
        str | None, typer.Option(callback=plain_name, help="Instead of time and settings.")
    ] = None
    resume: Annotated[
        str | None, typer.Option(help="Go on with a run: its folder, its name, or latest.")
    ] = None
    deterministic: Annotated[
        bool, typer.Option("--deterministic", help="Deterministic algorithms only.")
    ] = False
    dry_run: Annotated[bool, typer.Option("--dry-run", help="One step, and nothing is kept.")] = (
        False
    )
    quiet: Annotated[bool, typer.Option("--quiet", help="Results only.")] = False

    def __post_init__(self) -> None:
        if self.epochs and self.steps:
            raise InputError(
                "A run has an end by --epochs or by --steps",
                f"both arrived, {self.epochs} and {self.steps}",
                "Leave one of them out.",
            )
        if not (self.epochs or self.steps):
            object.__setattr__(self, "epochs", EPOCHS)  # the class is frozen

    def epochs_over(self, examples: int) -> int:
        """How many passes over so many examples it takes at most, the last perhaps in part.

        >>> Settings(steps=5, batch_size=4).epochs_over(10)
        2
        """
        if self.epochs:
            return self.epochs
        assert self.steps is not None
        return math.ceil(self.steps / math.ceil(examples / (self.batch_size or examples)))

    def member(self, seed: int) -> "Settings":
        """Those of one of several runs, each with a seed of its own, and in its name.

        A run to go on with may be named as it is called, or as all of them are.

        >>> Settings(resume="runs/mine_s3/").member(4).resume
        'runs/mine_s4'
        """
        run_name = self.run_name and f"{self.run_name}_s{seed}"
        resume = self.resume
        if resume and resume != "latest":
            resume = f"{re.sub(r'_s[0-9]+$', '', resume.rstrip('/'))}_s{seed}"
        return replace(self, seed=seed, run_name=run_name, resume=resume)

    @property
    def torch_dtype(self) -> torch.dtype:
        return torch.float64 if self.dtype == Dtype.FLOAT64 else torch.float32

    @property
    def short(self) -> str:
        """The configuration in the name of a run folder."""
        batch = "" if self.batch_size is None else f"_b{self.batch_size}"
        end = f"e{self.epochs}" if self.epochs else f"n{self.steps}"
        return f"{self.optimizer}_lr{self.lr:g}{batch}_{end}"

    def curve(self) -> dict[str, Any]:
        """What makes the curve what it is, in plain types."""
        kept = {name: value for name, value in asdict(self).items() if name not in FREE}
        return kept | {
            "dtype": str(self.dtype),
            "optimizer": str(self.optimizer),
            "gradients": [str(each) for each in self.gradients],
        }


BESIDE_TORCH = Settings(dtype=Dtype.FLOAT64, gradients=[Gradients.HANDWRITTEN, Gradients.TORCH])
