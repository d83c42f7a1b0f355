"""What ends a run before its last epoch: a signal, a loss that is not finite, no more progress."""

import math
import os
import signal
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn import Module

from torchref.training.process.distribution import is_first_process

SIGNALS = (signal.SIGINT, signal.SIGTERM)
STANDARD_ERROR = 2
NOTED = b"\nStops after the step in hand, and saves; a second signal ends it at once, unsaved.\n"


class Interrupted(Exception):  # noqa: N818  nothing went wrong
    """The run was asked to stop, and has saved what it had."""

    def __init__(self, number: int, where: str) -> None:
        super().__init__(where)
        self.exit_status = 128 + number


class NotFiniteError(ArithmeticError):
    """The loss is not a finite number any more."""


class StopRequest(ExitStack):
    """Notes Ctrl-C and SIGTERM, so that a step in hand is finished; a second one ends at once.

    The first process says so on standard error: a step with its checks may take long.
    """

    number = 0

    def __enter__(self) -> Self:
        for number in SIGNALS:
            self.callback(signal.signal, number, signal.signal(number, self.note))
        return self

    def note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self.number:
            os._exit(128 + number)
        self.number = number
        if is_first_process():
            with suppress(OSError):  # a print may have been interrupted, and takes no other
                os.write(STANDARD_ERROR, NOTED)


@dataclass
class Patience:
    """Ends a run whose held-out loss has not improved for `limit` log points; 0 never ends it."""

    limit: int
    least: float = math.inf
    waited: int = 0

    def look(self, loss: float) -> None:
        """Takes the loss of a log point."""
        better = loss < self.least
        self.least, self.waited = (loss, 0) if better else (self.least, self.waited + 1)

    @property
    def over(self) -> bool:
        return 0 < self.limit <= self.waited


def require_finite(loss: float, step: int, model: Module, x: Tensor) -> None:
    """Raises `NotFiniteError` with the step, the first layer concerned, and what to try."""
    if not math.isfinite(loss):
        raise NotFiniteError(
            f"The loss is {loss} at step {step}. {first_not_finite(model, x)} "
            "Try a smaller --lr, --dtype float64, or standardised inputs."
        )


def first_not_finite(model: Module, x: Tensor) -> str:
    for name, parameter in model.named_parameters():
        if not parameter.isfinite().all():
            return f"The first parameter that is not finite is {name}."
    if not x.isfinite().all():
        return "The inputs themselves are not finite."
    found: list[str] = []

    def look(name: str, _: Module, __: Any, output: Any) -> None:
        if isinstance(output, Tensor) and not output.isfinite().all():
            found.append(name)

    with ExitStack() as hooks, torch.no_grad():
        for name, layer in model.named_modules():
            if not [*layer.children()]:
                hooks.enter_context(layer.register_forward_hook(partial(look, name)))
        model(x)
    if found:
        return f"The first layer whose output is not finite is {found[0]}."
    return "All layers are finite: it is the loss itself."
