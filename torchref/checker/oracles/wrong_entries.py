"""From a slope that is off to the entries that make it so: all of them, where they are few."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from torchref.checker.execution.arithmetic import (
    DOUBLE,
    is_differentiable,
    typical_size,
)
from torchref.checker.execution.run import Run
from torchref.checker.oracles.bisection import Objective, locate, numeric_gradient
from torchref.checker.oracles.directional_derivative import (
    Line,
    Slope,
    draw_directions,
    settled_slope,
)
from torchref.checker.oracles.kinks import (
    CONVENTION,
    Where,
    one_sided,
    steps_at,
    sums_over_ties,
)
from torchref.checker.oracles.piecewise_constant import moves_by_few_digits
from torchref.checker.oracles.tolerance import numeric_tolerance, slope_tolerance
from torchref.checker.report.oracle_result import Fault

SMALL = 2000  # up to so many entries a whole numeric gradient is affordable
ASKED = 32  # entries that are not finite, whether they should be
SEEN = 1e-2  # of the typical entry: an error that float32 must show, though no step settles
HEARD = 8  # so many entries are tried again by steps of their own size


def find_faults(
    run: Run,
    objective: Objective,
    directions: Sequence[Tensor],
    excess: float,
    slope: Slope,
    reach: Sequence[Tensor],
) -> list[Fault]:
    """None where the entries accused turn out right: the step suited the others alone."""
    if run.case.elements > SMALL:
        return [_by_halving(run, objective, directions, excess, slope)]
    faults: list[Fault] = []
    doubted = False
    for place, got in enumerate(run.claimed):
        true, error = numeric_gradient(objective, place, slope.step)
        allowed = numeric_tolerance(run, true, error) + reach[place]
        gap = (got - true).abs()
        wrong = gap > allowed
        suspects = [element for element in _by_size(gap) if bool(wrong[element])]
        heard = next(
            (e for e in suspects[:HEARD] if not _right_by_own_step(objective, place, e)), None
        )
        if heard is not None:
            name = run.case.argument_names[place]
            values = got[heard].item(), true[heard].item()
            faults.append(Fault(place, name, run.got[place], true, wrong, heard, *values))
        doubted |= bool(suspects)
    if faults or doubted:
        return faults
    located = _by_halving(run, objective, directions, excess, slope)
    return [] if _settled_at(objective, located) else [located]


def faults_at(run: Run, objective: Objective, where: Sequence[Where]) -> list[Fault]:
    """One fault an argument, of the elements that are known to be wrong."""
    faults = []
    for place, got in enumerate(run.claimed):
        elements = [element for argument, element in where if argument == place]
        if not elements:
            continue
        true, _ = numeric_gradient(objective, place, steps_at(run.epsilon).side)
        wrong = torch.zeros_like(got, dtype=torch.bool)
        for element in elements:
            wrong[element] = True
        worst = max(elements, key=lambda element: float((got[element] - true[element]).abs()))
        values = got[worst].item(), true[worst].item()
        name = run.case.argument_names[place]
        faults.append(Fault(place, name, run.got[place], true, wrong, worst, *values))
    return faults


def faults_where_flat(run: Run) -> list[Fault]:
    """Every gradient that is not 0, where the forward is constant around the inputs."""
    faults = []
    for place, got in enumerate(run.claimed):
        wrong = got != 0
        if bool(wrong.any()) and bool(torch.isfinite(got).all()):
            worst = tuple(int(i) for i in torch.unravel_index(got.abs().argmax(), got.shape))
            name, true = run.case.argument_names[place], torch.zeros_like(got)
            faults.append(
                Fault(place, name, run.got[place], true, wrong, worst, got[worst].item(), 0.0)
            )
    return faults


@dataclass
class Entries:
    """What the differences along single entries say, where those along all together do not settle.

    `settled` are those that agree; at a kink the gradient lies between the derivatives to either
    side.
    """

    count: int
    settled: int = 0
    worst: float = 0.0
    coarsest: float = 0.0  # the largest error that may have gone unseen, over the typical entry
    kinks: list[Where] = field(default_factory=list)
    wrong: list[Where] = field(default_factory=list)

    @property
    def all_known(self) -> bool:
        return self.settled + len(self.kinks) == self.count

    @property
    def notes(self) -> list[str]:
        seen = f"asked entry by entry; an error of {self.coarsest:.1%} would have been seen"
        return [CONVENTION] * bool(self.kinks) + [seen] * (self.coarsest > 0)


def judge_each_entry(run: Run, objective: Objective) -> Entries:
    """Entries that do not settle alone either are left out, and all of complex arguments."""
    entries = Entries(run.case.elements)
    for place, (x, got) in enumerate(zip(run.case.arguments, run.claimed, strict=True)):
        if x.is_complex():
            continue
        unit = typical_size(x) or 1.0
        typical = unit * typical_size(got)
        for element in map(tuple, torch.ones_like(x).nonzero().tolist()):
            line = objective.line(objective.unit(place, element, unit))
            claimed = unit * float(got[element])
            sides = one_sided(line)
            if sides.kinked:
                if sides.settled and sides.admits(claimed):
                    entries.kinks.append((place, element))
                continue
            slope = settled_slope(line, abs(claimed))
            settles = math.isfinite(slope.error)
            if not settles and line.epsilon > DOUBLE:
                slope = replace(slope, error=slope.estimate)
            near = slope.tolerance < SEEN * typical
            if not (settles or near) or not sides.admits(slope.value):
                continue
            if slope.value == 0 and moves_by_few_digits(objective, place, element):
                continue  # it stands still as what is rounded does
            distance = slope.distance(claimed, slope_tolerance(run, abs(claimed)))
            if distance > 1:
                if settles:
                    entries.wrong.append((place, element))
                continue  # what is known coarsely accuses nobody
            entries.settled += 1
            entries.worst = max(entries.worst, distance)
            if not settles:
                entries.coarsest = max(entries.coarsest, slope.tolerance / typical)
    if entries.kinks and entries.all_known and sums_over_ties(objective, run.generator())[1]:
        entries.wrong += entries.kinks  # each may have its share of a tie, and the sum may not
    return entries


def not_finite_though_smooth(run: Run, objective: Objective) -> list[Fault]:
    """NaN and infinity where the forward has one finite derivative, by steps to either side.

    At a kink, a pole or infinity they may be meant: the forward must be smooth along all entries
    together too. Some of the entries are asked, and the others left as they are.
    """
    faults: list[Fault] = []
    at_infinity = any(is_differentiable(x) and bool(x.isinf().any()) for x in run.case.leaves)
    together = draw_directions(run.case, run.generator())
    if at_infinity or _smooth_slope(objective.line(together)) is None:
        return faults
    for place, (got, x) in enumerate(zip(run.claimed, run.case.arguments, strict=True)):
        if x.is_complex():
            continue
        unit, unfit = typical_size(x) or 1.0, ~torch.isfinite(got)
        true, wrong = got.clone(), torch.zeros_like(unfit)
        for element in [tuple(map(int, at)) for at in unfit.nonzero()[:ASKED]]:
            slope = _smooth_slope(objective.line(objective.unit(place, element, unit)))
            if slope is not None:
                true[element], wrong[element] = slope / unit, True
        if bool(wrong.any()):
            first = tuple(int(i) for i in wrong.nonzero()[0])
            values = got[first].item(), true[first].item()
            name = run.case.argument_names[place]
            faults.append(Fault(place, name, run.got[place], true, wrong, first, *values))
    return faults


def _smooth_slope(line: Line) -> float | None:
    """The derivative along a line, if both sides and steps of other sizes agree on it."""
    sides = one_sided(line)
    if not math.isfinite(sides.error) or sides.kinked:
        return None
    slope = settled_slope(line, sides.size)
    settles = math.isfinite(slope.error)
    if line.epsilon > DOUBLE:  # two digits are there, and tell it from what is not finite
        settles = slope.estimate <= sides.steps.settled * sides.size
    return slope.value if settles and sides.admits(slope.value) else None


def _by_size(gap: Tensor) -> list[tuple[int, ...]]:
    if not gap.dim():
        return [()]
    order = gap.reshape(-1).argsort(descending=True)
    places = torch.stack(torch.unravel_index(order, gap.shape), -1)
    return [tuple(map(int, place)) for place in places]


def _right_by_own_step(objective: Objective, place: int, element: tuple[int, ...]) -> bool:
    """Whether steps in units of the entry, not of its tensor, confirm what is claimed of it.

    1/x at 10⁻⁷ beside an entry of 100: the steps that suit the one leap over the other's pole.
    """
    x, got = objective.case.arguments[place][element], objective.claimed[place][element]
    size = float(x.abs())
    if size == 0 or x.is_complex():
        return False
    claimed = float(got) * size
    slope = settled_slope(objective.line(objective.unit(place, element, size)), abs(claimed))
    return math.isfinite(slope.error) and abs(slope.value - claimed) <= slope.tolerance


def _settled_at(objective: Objective, fault: Fault) -> bool:
    """Whether steps of all sizes along the entry located confirm what is claimed of it."""
    unit = typical_size(objective.case.arguments[fault.place]) or 1.0
    got = objective.claimed[fault.place][fault.element]
    if got.is_complex():
        return False
    slope = settled_slope(
        objective.line(objective.unit(fault.place, fault.element, unit)), abs(float(got)) * unit
    )
    return abs(slope.value - float(got) * unit) <= slope.tolerance


def _by_halving(
    run: Run, objective: Objective, directions: Sequence[Tensor], excess: float, slope: Slope
) -> Fault:
    found = locate(objective, directions, excess, slope.step)
    value = run.claimed[found.argument][found.element].item()
    name, raw = run.case.argument_names[found.argument], run.got[found.argument]
    return Fault(found.argument, name, raw, None, None, found.element, value, found.slope)
