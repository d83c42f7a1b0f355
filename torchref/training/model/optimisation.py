"""The optimiser of a training and the schedule of its rate: of the settings, or one's own."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.nn import Module
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, ReduceLROnPlateau

from torchref.errors import InputError, came_out
from torchref.training.settings import Optimizer, Schedule, Settings

OPTIMIZERS: dict[Optimizer, Callable[..., torch.optim.Optimizer]] = {
    Optimizer.SGD: torch.optim.SGD,
    Optimizer.MOMENTUM: partial(torch.optim.SGD, momentum=0.9),
    Optimizer.ADAM: torch.optim.Adam,
    Optimizer.ADAMW: torch.optim.AdamW,
}
WARMUP = 0.1  # of the steps of a run
OwnOptimizer = Callable[[Module], torch.optim.Optimizer]
OwnSchedule = Callable[[torch.optim.Optimizer], LRScheduler]


@dataclass(frozen=True)
class Optimisation:
    """How a model is optimised: by the settings, or by what the caller makes of the model.

    `steps` is the number of steps after which a schedule of the settings ends.
    """

    settings: Settings
    steps: int = 1
    own_optimizer: OwnOptimizer | None = None
    own_schedule: OwnSchedule | None = None

    def __post_init__(self) -> None:
        if self.own_schedule and self.settings.schedule != Schedule.CONSTANT:
            raise InputError(
                "A run has one schedule",
                f"one arrived beside that of the settings, {self.settings.schedule}",
                "Leave one of them out.",
            )

    def optimizer(self, model: Module) -> torch.optim.Optimizer:
        """Raises `InputError` for an optimiser of one's own that is none, or of another model."""
        if self.own_optimizer is None:
            kind, decay = OPTIMIZERS[self.settings.optimizer], self.settings.weight_decay
            decayed = {} if decay is None else {"weight_decay": decay}
            return kind(model.parameters(), lr=self.settings.lr, **decayed)
        found = made("optimizer", self.own_optimizer, model, torch.optim.Optimizer)
        if isinstance(found, torch.optim.LBFGS):
            raise InputError(
                "An optimiser must take a step from one gradient",
                "LBFGS arrived, which asks for the loss several times in a step",
                "Take SGD or Adam, say.",
            )
        held = {id(parameter) for parameter in model.parameters()}
        groups = found.param_groups
        if not all(id(parameter) in held for group in groups for parameter in group["params"]):
            raise InputError(
                "An optimiser must have parameters of the model that it is handed",
                "it has others",
                "Make it of the argument: optimizer=lambda model: SGD(model.parameters(), 0.1). "
                "Each way to the gradients trains a copy of the network.",
            )
        return found

    def schedule(self, optimizer: torch.optim.Optimizer) -> LRScheduler | None:
        """What sets the learning rate after each step; None where it stays."""
        if self.own_schedule is not None:
            found = made("schedule", self.own_schedule, optimizer, LRScheduler)
            if isinstance(found, ReduceLROnPlateau):
                raise InputError(
                    "A schedule must go by the number of steps",
                    "ReduceLROnPlateau arrived, which goes by the loss",
                    "Take CosineAnnealingLR, say, or early_stop= in the settings.",
                )
            return found
        if self.settings.schedule == Schedule.CONSTANT:
            return None
        share = SHARES[self.settings.schedule]
        return LambdaLR(optimizer, lambda step: share(min(step, self.steps), self.steps))

    def told(self, model: Module) -> dict[str, Any]:
        """Of what is the caller's own, what takes the place of the settings in the run's record."""
        if not (self.own_optimizer or self.own_schedule):
            return {}
        optimizer = self.optimizer(model)
        told: dict[str, Any] = {}
        if self.own_optimizer:
            first = optimizer.param_groups[0]
            told["optimizer"] = described(optimizer, optimizer.defaults)
            told |= {name: first[name] for name in ("lr", "weight_decay") if name in first}
            told = {name: plain(value) for name, value in told.items()}
        schedule = self.own_schedule and self.schedule(optimizer)
        if schedule:
            state = {n: v for n, v in schedule.state_dict().items() if not n.startswith("_")}
            told["schedule"] = described(schedule, state)
        return told


MADE = {
    "optimizer": "a torch.optim.Optimizer of the model",
    "schedule": "an LRScheduler of torch.optim of the optimiser",
}
EXAMPLES = {
    "optimizer": "optimizer=lambda model: torch.optim.AdamW(model.parameters(), lr=1e-3)",
    "schedule": "schedule=lambda optimizer: StepLR(optimizer, step_size=100)",
}


def made(name: str, make: Callable[[Any], Any], of: Any, kind: type) -> Any:
    """What a factory of the caller's makes. Raises `InputError` where it is not of the kind."""
    wanted = f"{name} must be a function that makes {MADE[name]}"
    if not callable(make):
        why = f"an object of the class {type(make).__name__} arrived"
        raise InputError(wanted, why, f"Give {EXAMPLES[name]}.")
    try:
        found = make(of)
    except Exception as error:
        raise InputError(wanted, came_out(error), f"Give {EXAMPLES[name]}.") from error
    if not isinstance(found, kind):
        raise InputError(wanted, f"it made a {type(found).__name__}", f"Give {EXAMPLES[name]}.")
    return found


def described(made: Any, arguments: Mapping[str, Any]) -> str:
    inside = ", ".join(f"{name}={plain(value)}" for name, value in sorted(arguments.items()))
    return f"{type(made).__name__}({inside})"


def plain(value: Any) -> Any:
    """As JSON keeps it."""
    return value if isinstance(value, int | float | str | bool | None) else str(value)


def linear(step: int, steps: int) -> float:
    return 1 - step / steps


def cosine(step: int, steps: int) -> float:
    return 0.5 * (1 + math.cos(math.pi * step / steps))


def warmup_cosine(step: int, steps: int) -> float:
    """Up over the first tenth of the steps, and from there as the cosine.

    >>> [round(warmup_cosine(step, 40), 3) for step in (0, 1, 3, 4, 22, 40)]
    [0.25, 0.5, 1.0, 1.0, 0.5, 0.0]
    """
    up = max(1, round(WARMUP * steps))
    return (step + 1) / up if step < up else cosine(step - up, max(1, steps - up))


SHARES: dict[Schedule, Callable[[int, int], float]] = {
    Schedule.LINEAR: linear,
    Schedule.COSINE: cosine,
    Schedule.WARMUP_COSINE: warmup_cosine,
}
