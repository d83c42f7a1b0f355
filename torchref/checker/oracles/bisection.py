"""Finding one wrong entry among N by halving: two or four forward passes a step, log₂ N steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from torchref.checker.execution.arithmetic import inner, typical_size
from torchref.checker.execution.case import Case
from torchref.checker.execution.subject import Subject
from torchref.checker.execution.tape import Cotangents
from torchref.checker.oracles.directional_derivative import Line, slope_at_step

CLEAR = 100.0  # an excess so many times the truncation of a difference needs no extrapolation


@dataclass(frozen=True)
class Located:
    """An entry of an argument (by its position among the differentiated) whose gradient is wrong.

    `slope` is the numeric derivative with respect to that entry.
    """

    argument: int
    element: tuple[int, ...]
    slope: float


@dataclass(frozen=True)
class Objective:
    """A subject at a case, weighed by cotangents, with a claimed gradient for each argument.

    `epsilon` is the rounding of its forward, where that is more than its dtype's.
    """

    subject: Subject
    case: Case
    cotangents: Cotangents
    claimed: Sequence[Tensor]
    epsilon: float | None = None

    def line(self, directions: Sequence[Tensor]) -> Line:
        return Line(
            self.subject, self.case, directions, self.cotangents, self.epsilon, lambda: self._start
        )

    @cached_property
    def _start(self) -> list[Tensor]:
        """The weighed outputs at x, where all lines start."""
        still = [torch.zeros_like(x) for x in self.case.arguments]
        return Line(self.subject, self.case, still, self.cotangents, self.epsilon).at(0.0)

    def claimed_slope(self, directions: Sequence[Tensor]) -> float:
        return sum(inner(g, d) for g, d in zip(self.claimed, directions, strict=True))

    def unit(self, argument: int, element: tuple[int, ...], size: float = 1.0) -> list[Tensor]:
        """The direction of one entry."""
        directions = [torch.zeros_like(x) for x in self.claimed]
        directions[argument][element] = size
        return directions


def locate(
    objective: Objective, directions: Sequence[Tensor], excess: float, step: float
) -> Located:
    """The entry that weighs most in `excess`, the slope minus the claimed one along directions.

    Of two halves one is measured, and the other has the rest; the heavier one is kept.
    """
    ends = [0]
    for direction in directions:
        ends.append(ends[-1] + direction.numel())
    low, high = 0, ends[-1]
    blurred = CLEAR * _truncation(objective, directions, step)
    while high - low > 1:
        middle = (low + high) // 2
        half = [
            _window(d, low - start, middle - start)
            for d, start in zip(directions, ends, strict=False)
        ]
        line, claimed = objective.line(half), objective.claimed_slope(half)
        part = _difference(line, step) - claimed
        if not max(abs(part), abs(excess - part)) > blurred:
            part = slope_at_step(line, step).value - claimed
        if abs(part) >= abs(excess - part):
            high, excess = middle, part
        else:
            low, excess = middle, excess - part
    argument = max(i for i, start in enumerate(ends[:-1]) if start <= low and directions[i].numel())
    flat = low - ends[argument]
    shape = directions[argument].shape
    element = (
        tuple(int(i) for i in torch.unravel_index(torch.tensor(flat, device="cpu"), shape))
        if shape
        else ()
    )
    size = float(directions[argument][element].abs())
    slope = slope_at_step(objective.line(objective.unit(argument, element, size)), step)
    return Located(argument, element, slope.value / size)


def _difference(line: Line, step: float) -> float:
    """The central difference alone, not extrapolated."""
    return line.rise(-step, step)[0] / (2 * step)


def _truncation(objective: Objective, directions: Sequence[Tensor], step: float) -> float:
    """How far the difference along all entries lies from its extrapolation to step 0."""
    line = objective.line(directions)
    return abs(_difference(line, step) - slope_at_step(line, step).value)


def _window(direction: Tensor, low: int, high: int) -> Tensor:
    """The direction with all but the entries low … high (in flat order) set to 0."""
    flat = torch.zeros_like(direction).reshape(-1)
    low, high = max(low, 0), max(min(high, flat.numel()), 0)
    flat[low:high] = direction.reshape(-1)[low:high]
    return flat.reshape(direction.shape)


def numeric_gradient(objective: Objective, argument: int, step: float) -> tuple[Tensor, Tensor]:
    """Every entry of one argument's gradient, by six forward passes an entry, and its error."""
    gradient = torch.zeros_like(objective.claimed[argument])
    error = torch.zeros(gradient.shape, dtype=torch.float64, device=gradient.device)
    x = objective.case.arguments[argument]
    unit = typical_size(x) or 1.0
    for flat in range(x.numel()):
        element = tuple(
            int(i) for i in torch.unravel_index(torch.tensor(flat, device="cpu"), x.shape)
        )
        slope = slope_at_step(
            objective.line(objective.unit(argument, element, unit)), step, passes=6
        )
        gradient[element], error[element] = slope.value / unit, slope.error / unit
    return gradient, error
