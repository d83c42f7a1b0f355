"""What a right function is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.random_inputs import Inputs


@dataclass(frozen=True)
class RightFunction:
    """A differentiable function of torch; checked against itself it must raise no alarm.

    Input tensors that need a gradient have requires_grad set.
    """

    name: str
    function: Callable
    inputs: Inputs
    kwargs: dict[str, Any] = field(default_factory=dict)


def family(*rows: tuple) -> tuple[RightFunction, ...]:
    """One right function for each row (name, function, inputs[, kwargs])."""
    return tuple(RightFunction(*row) for row in rows)
