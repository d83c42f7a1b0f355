"""Where a function has no derivative: a gradient there is a convention, within limits.

At a kink (relu at 0, max at a tie) any value between the one-sided derivatives is accepted, and
any that a point nearby has. What cannot be chosen is the sum over a tied set: moving all tied
entries together changes nothing about which of them is the maximum, so along such a direction
there is a derivative again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor

from torchref.checker.execution.arithmetic import DOUBLE, draw_signed, typical_size
from torchref.checker.oracles.bisection import Objective
from torchref.checker.oracles.directional_derivative import Rising, draw_directions, slope_at_step
from torchref.checker.oracles.tolerance import OF_RISE, SAFETY

NUDGES = 6  # points nearby, whose derivatives are accepted as well
CONVENTION = "there is no derivative here; the gradient is one of the values that it may have"
FEW, MANY = 200, 2000  # elements, and elements that tie, which are asked one by one


@dataclass(frozen=True)
class Steps:
    """In units of the typical entry, and how exact a derivative to one side is, if it has one."""

    side: float
    nudge: float  # far enough that a step at the nudged point does not reach back to the kink
    settled: float  # relative error: beside a jump it is 1/24


IN_DOUBLE = Steps(2.0**-20, 2.0**-9, 1e-3)
IN_SINGLE = Steps(2.0**-8, 2.0**-6, 1e-2)  # ε^(1/3): a smaller step rises by rounding alone


def steps_at(epsilon: float) -> Steps:
    return IN_DOUBLE if epsilon <= DOUBLE else IN_SINGLE


@dataclass(frozen=True)
class OneSided:
    """The derivatives to the left and to the right, and the error of both."""

    left: float
    right: float
    error: float
    steps: Steps = IN_DOUBLE

    @property
    def tolerance(self) -> float:
        return SAFETY * self.error

    @property
    def kinked(self) -> bool:
        return abs(self.right - self.left) > self.tolerance

    @property
    def size(self) -> float:
        return max(abs(self.left), abs(self.right))

    @property
    def settled(self) -> bool:
        """Whether steps of two sizes agree: beside a jump both sides are steep, and steeper on."""
        return self.settled_beside(self.size)

    def settled_beside(self, size: float) -> bool:
        """Beside derivatives of that size along like directions."""
        return self.error <= self.steps.settled * size

    def admits(self, value: float) -> bool:
        low, high = sorted((self.left, self.right))
        return low - self.tolerance <= value <= high + self.tolerance


def one_sided(line: Rising, unit: float = 1.0, noise: float = 0.0) -> OneSided:
    """Both one-sided derivatives at 0, each extrapolated from two steps.

    `noise` is what is known to be in any rise, if the forward rounds more than its dtype.
    """
    steps = steps_at(line.epsilon)
    h = steps.side * unit
    sides = []
    error = noise / h
    for sign in (-1, 1):
        whole, rounding = line.rise(0.0, sign * h)
        half, _ = line.rise(0.0, sign * h / 2)
        coarse, fine = whole / (sign * h), half / (sign * h / 2)
        sides.append(2 * fine - coarse)
        error = max(error, abs(fine - coarse) / 8 + 4 * rounding / h)
    return OneSided(sides[0], sides[1], error, steps)


def least_error(output_size: float, unit: float) -> float:
    """What `one_sided` can err by at best in float64, for outputs of that size."""
    return 4 * OF_RISE * torch.finfo(torch.float64).eps * output_size / (IN_DOUBLE.side * unit)


def has_ties(arguments: Sequence[Tensor]) -> bool:
    """Whether entries are equal, or 0, where many functions have their kink."""
    return any(bool(tied.any()) for tied in ties(arguments))


def ties(arguments: Sequence[Tensor]) -> list[Tensor]:
    """Marks the entries that equal another one, of whichever argument, or 0."""
    groups = _groups(arguments)
    count = torch.bincount(torch.cat([torch.zeros(0, dtype=torch.long, device="cpu"), *groups]))
    return [
        (count[group] > 1).reshape(x.shape) | (x.detach().cpu() == 0)
        if group.numel()
        else torch.zeros(x.shape, dtype=torch.bool, device="cpu")
        for x, group in zip(arguments, groups, strict=True)
    ]


def _groups(arguments: Sequence[Tensor]) -> list[Tensor]:
    """For each entry the number of its value among all values there are; none for complex ones."""
    flat = [
        torch.zeros(0, dtype=torch.float64, device="cpu")
        if x.is_complex()
        else x.detach().cpu().double()
        for x in arguments
    ]
    values = torch.cat(
        [torch.zeros(0, dtype=torch.float64, device="cpu"), *(x.reshape(-1) for x in flat)]
    )
    _, group = torch.unique(values, return_inverse=True)
    return list(group.split([x.numel() for x in flat]))


def tied_elements(tied: Tensor) -> list[tuple[int, ...]]:
    return [tuple(int(i) for i in index) for index in tied.nonzero()]


def tie_preserving(arguments: Sequence[Tensor], generator: Generator) -> list[Tensor]:
    """Random directions in which equal entries move together, and exact zeros stay."""
    groups = _groups(arguments)
    many = max((int(group.max()) + 1 for group in groups if group.numel()), default=0)
    moves = draw_signed(torch.empty(many, dtype=torch.float64, device="cpu"), generator)
    return [
        torch.where(x == 0, 0, moves[group].reshape(x.shape).to(x))
        if group.numel()
        else torch.zeros_like(x)
        for x, group in zip(arguments, groups, strict=True)
    ]


def is_differentiable_along(
    objective: Objective, moving: Sequence[Tensor], generator: Generator, pairs: int = 3
) -> bool:
    """Whether the entries marked as moving may move as they like, and the derivative is linear.

    To either side it is the same, and that of a sum is the sum: then there is no kink and no tie
    that a convention could be needed for. Of three equal entries the median moves to either side
    alike, but not as a sum.
    """
    for _ in range(pairs):
        one, other = (
            [torch.where(mask, d, 0) for mask, d in zip(moving, drawn, strict=True)]
            for drawn in (draw_directions(objective.case, generator) for _ in range(2))
        )
        both = [a + b for a, b in zip(one, other, strict=True)]
        sides = [one_sided(objective.line(directions)) for directions in (one, other, both)]
        size = max(side.size for side in sides)
        if any(side.kinked or not side.settled_beside(size) for side in sides):
            return False
        a, b, c = sides
        if abs(a.left + b.left - c.left) > a.tolerance + b.tolerance + c.tolerance:
            return False
    return True


def sums_over_ties(objective: Objective, generator: Generator) -> tuple[list[Tensor], float]:
    """A tie-preserving direction, and how far the gradient errs along it beyond its tolerance.

    0 where it errs by less, or where even that direction meets a kink.
    """
    directions = tie_preserving(objective.case.arguments, generator)
    sides = one_sided(objective.line(directions))
    claimed = objective.claimed_slope(directions)
    if sides.kinked or sides.admits(claimed) or not sides.error < abs(claimed) + abs(sides.left):
        return directions, 0.0
    return directions, (sides.left + sides.right) / 2 - claimed


def sums_without_ties(
    objective: Objective, directions: Sequence[Tensor]
) -> tuple[list[Tensor], float]:
    """The directions with every tied entry left where it is, and how far the gradient errs there.

    0 where it errs by less than the tolerance, or where there is a kink nevertheless.
    """
    tied = ties(objective.case.arguments)
    untied = [
        torch.where(mask.to(d.device), 0, d) for mask, d in zip(tied, directions, strict=True)
    ]
    sides = one_sided(objective.line(untied))
    claimed = objective.claimed_slope(untied)
    if sides.kinked or not sides.settled or sides.admits(claimed):
        return untied, 0.0
    return untied, (sides.left + sides.right) / 2 - claimed


Where = tuple[int, tuple[int, ...]]  # the place of an argument, and an element of it


def denied_elements(
    objective: Objective, generator: Generator, promised: bool = True
) -> list[tuple[Where, bool]]:
    """The elements whose claimed derivative the function does not have; and if they are kinks.

    Equal entries are kinks unless it is promised that what is smooth there has its derivative.
    Among many elements those are asked that tie, where most kinks are, and some of the others.
    """
    denied = []
    share = max(1, FEW // len(objective.case.arguments))
    marked = ties(objective.case.arguments)
    for place, x in enumerate(objective.case.arguments):
        if x.is_complex():
            continue
        unit, tied = typical_size(x) or 1.0, set(tied_elements(marked[place])[:MANY])
        smooth: dict[float, bool] = {}  # the entries of x that have a value in common, together
        for element in {*tied, *_spread(x, share)}:
            sides = one_sided(objective.line(objective.unit(place, element)), unit)
            if sides.admits(float(objective.claimed[place][element])):
                continue
            kinked = sides.kinked or (element in tied and not promised)
            if element in tied and not kinked:
                value = float(x[element])
                if value not in smooth:
                    moving = [
                        torch.zeros_like(y, dtype=torch.bool) for y in objective.case.arguments
                    ]
                    moving[place] = x == value
                    smooth[value] = is_differentiable_along(objective, moving, generator)
                kinked = not smooth[value]
            if not kinked or not admitted(objective, place, element, generator):
                denied.append(((place, element), kinked))
    return denied


def _spread(x: Tensor, count: int) -> list[tuple[int, ...]]:
    """A few elements from everywhere; all, where they are few."""
    places = torch.arange(0, x.numel(), max(1, x.numel() // count), device="cpu")
    return [tuple(map(int, torch.unravel_index(place, x.shape))) for place in places]


def admitted(
    objective: Objective,
    place: int,
    element: tuple[int, ...],
    generator: Generator,
    ranks: int = 0,
) -> bool:
    """Whether the claimed derivative is one that the function has at the element or nearby."""
    unit = typical_size(objective.case.arguments[place]) or 1.0
    direction = objective.unit(place, element)
    sides = one_sided(objective.line(direction), unit)
    value = float(objective.claimed[place][element])
    if sides.admits(value):
        return True
    low, high = sorted((sides.left, sides.right))
    steps = sides.steps
    for moves in _nudges(objective, place, element, generator, ranks):
        nudged = {
            i: x + steps.nudge * move
            for i, x, move in zip(objective.case.wrt, objective.case.arguments, moves, strict=True)
        }
        there = replace(objective, case=objective.case.derived("nudged", nudged))
        slope = slope_at_step(there.line(direction), steps.side * unit)
        low, high = min(low, slope.value), max(high, slope.value)
        # Nearby is not at the point: a smooth change of the slope over the nudge is allowed for.
        slack = sides.tolerance + 8 * steps.nudge * max(abs(low), abs(high))
        if low - slack <= value <= high + slack:
            return True
    return False


def _nudges(
    objective: Objective, place: int, element: tuple[int, ...], generator: Generator, ranks: int
) -> Iterator[list[Tensor]]:
    """Directions to points nearby: random ones, and some that give the element one rank each.

    What sorts gives equal entries different slopes, and which of them gets which is a choice.
    """
    for _ in range(NUDGES):
        yield draw_directions(objective.case, generator)
    x = objective.case.arguments[place]
    tied = x == x[element]
    count, own = int(tied.sum()), tied.nonzero().tolist().index(list(element))
    if not ranks or count < 2:
        return
    spread = (typical_size(x) or 1.0) * torch.linspace(-1, 1, count, device=x.device, dtype=x.dtype)
    for rank in range(0, count, -(-count // ranks)):
        order = torch.randperm(count - 1, generator=generator, device="cpu").to(x.device)
        others = torch.cat([spread[:rank], spread[rank + 1 :]])[order]
        moves = draw_directions(objective.case, generator)
        moves[place][tied] = torch.cat([others[:own], spread[rank : rank + 1], others[own:]])
        yield moves
