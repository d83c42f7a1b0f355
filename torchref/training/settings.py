"""How a training goes: what every experiment is told on its command line."""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import torch
import typer

from torchref.errors import InputError
from torchref.training.option_values import accepted, not_negative, plain_name, positive
from torchref.training.run_folder.naming import require_named, require_one_run


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
    ADAMW = "adamw"


class Schedule(StrEnum):
    """How the learning rate goes with the steps: as it is, or down to 0 at the end of the run."""

    CONSTANT = "constant"
    LINEAR = "linear"
    COSINE = "cosine"
    WARMUP_COSINE = "warmup-cosine"


EPOCHS = 1000  # where neither epochs nor steps are given

# Those that the experiment alone has, and whether a run that is gone on with ends where it was to
# end when it began.
NO_OPTIONS = ("own", "own_end")
# These change nothing of the curve, and so a run may go on with others.
FREE = (
    "crosscheck",
    "device",
    "dry_run",
    "epochs",
    "logdir",
    "own",
    "own_end",
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
    autocast: Annotated[
        bool, typer.Option("--autocast", help="Matrix products in bfloat16, by torch.autocast.")
    ] = False
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
        int | None, typer.Option(min=1, help="Examples in a batch; without it all of them.")
    ] = None
    lr: Annotated[float, typer.Option(callback=positive, help="The learning rate.")] = 0.1
    optimizer: Annotated[Optimizer, typer.Option(help="Of torch.optim.")] = Optimizer.SGD
    weight_decay: Annotated[
        float | None,
        typer.Option(callback=not_negative, help="Without it torch's own: 0.01 for adamw, else 0."),
    ] = None
    schedule: Annotated[
        Schedule,
        typer.Option(help="Of --lr: down to 0 at the end; a warm-up takes a tenth of the steps."),
    ] = Schedule.CONSTANT
    clip_norm: Annotated[
        float | None,
        typer.Option(callback=positive, help="Scales a gradient of a larger norm down to it."),
    ] = None
    accumulate: Annotated[
        int, typer.Option(min=1, help="Batches whose gradients make one step.")
    ] = 1
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
    logdir: Annotated[
        Path,  # from a string, for Path("") is the folder in which one is
        typer.Option(parser=str, metavar="FOLDER", help="Runs go below this folder."),
    ] = Path("runs")
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
    own: Mapping[str, Any] = field(default_factory=dict)
    own_end: bool = False

    def __post_init__(self) -> None:
        require_named(self.logdir, self.run_name, self.resume)
        for each in fields(self):
            if each.name not in NO_OPTIONS:
                default = [] if each.name == "gradients" else each.default
                annotation, value = annotations()[each.name], getattr(self, each.name)
                kept = accepted(each.name, annotation, value, default)
                object.__setattr__(self, each.name, kept)  # the class is frozen
        require_one_run(self.run_name, self.resume, dry_run=self.dry_run)
        if self.epochs and self.steps:
            raise InputError(
                "A run has an end by --epochs or by --steps",
                f"both arrived, {self.epochs} and {self.steps}",
                "Leave one of them out.",
            )
        if not (self.epochs or self.steps):
            object.__setattr__(self, "epochs", EPOCHS)
            object.__setattr__(self, "own_end", self.resume is not None)
        if self.autocast and (self.dtype != Dtype.FLOAT32 or Gradients.SWEEP in self.gradients):
            raise InputError(
                "--autocast needs float32 and gradients by autograd",
                f"{self.dtype} and {', '.join(self.gradients)} arrived",
                "Leave --autocast out, or take --dtype float32 and --gradients handwritten.",
            )

    def epochs_over(self, steps: int) -> int:
        """How many epochs of so many steps it takes at most, the last perhaps in part.

        >>> Settings(steps=5).epochs_over(3)
        2
        """
        if self.epochs:
            return self.epochs
        assert self.steps is not None
        return math.ceil(self.steps / steps)

    def steps_over(self, steps: int) -> int:
        """How many steps a run takes at most, with so many in an epoch.

        >>> Settings(epochs=5).steps_over(3)
        15
        """
        return self.steps or (self.epochs or 0) * steps

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
        """What makes the curve what it is, in plain types: with a schedule the end does too."""
        free = set(FREE)
        if self.schedule != Schedule.CONSTANT:
            free -= {"epochs", "steps"}
        kept = {name: value for name, value in asdict(self).items() if name not in free}
        return kept | {
            "dtype": str(self.dtype),
            "optimizer": str(self.optimizer),
            "schedule": str(self.schedule),
            "gradients": [str(each) for each in self.gradients],
            **self.own,
        }


@cache
def annotations() -> dict[str, Any]:
    """Of the fields of `Settings`: the types, and the options of the command line."""
    return get_type_hints(Settings, include_extras=True)


BESIDE_TORCH = Settings(dtype=Dtype.FLOAT64, gradients=[Gradients.HANDWRITTEN, Gradients.TORCH])
