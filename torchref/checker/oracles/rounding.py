"""Rounding told from another function: of two small errors, the one of rounding is rough.

A few roundings of the input further on, rounding has made another number of it, where the
difference of two functions is still the same.
"""

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from torchref.checker.execution.arithmetic import DOUBLE, draw_signed, typical_size
from torchref.checker.execution.case import Case
from torchref.checker.execution.run import RefusedError, Run, backward, forward, run_both
from torchref.checker.oracles.bisection import Objective
from torchref.checker.oracles.directional_derivative import settled_slope

ROUGH = 0.5  # so much of an error changes if it is rounding: two thirds and more, of others a third
ROUGHER = 8  # times as rough as the other
SIDES = (2.0**-20, 2.0**-15, 2.0**-11)  # nudges to either side, relative
ILL_CONDITIONED = 1e-9  # relative: what is left of float64 then is still more than float32 has
OF_THE_INPUTS = 32.0  # roundings of the typical entry that the inputs' own may amount to
NEARLY = 0.05  # a gradient so much wrong may still be a rounded one


def nudged(case: Case, relative: float, generator: Generator) -> Case:
    """The case with every entry moved by about so much of itself, at random."""
    return case.perturbed("nudged", lambda x: x + relative * x * draw_signed(x, generator))


def is_rough(here: Tensor, there: Tensor) -> bool:
    """Whether an error has become another one over a nudge."""
    return typical_size(there - here) > ROUGH * typical_size(here)


def is_rounding_apart(run: Run, place: int, got: Tensor, true: Tensor) -> bool:
    """Whether two gradients agree but for the digits that an ill-conditioned formula loses.

    Products of badly scaled matrices lose more than one rounding of their inputs explains.
    """
    error = typical_size(got - true)
    if not bool(torch.isfinite(got - true).all()) or not error <= ILL_CONDITIONED * typical_size(
        true
    ):
        return False
    there = [gradients_nudged(run, place, relative) for relative in SIDES]
    return any(is_rough(got - true, pair[0] - pair[1]) for pair in there if pair is not None)


def lost_by_reference(run: Run, place: int, got: Tensor, true: Tensor) -> bool:
    """Whether the gradients differ by rounding, and the reference's is the rough one.

    Between two nudges to either side a gradient lies in the middle, as long as it is smooth.
    """
    error = typical_size(got - true)
    if not 0 < error <= NEARLY * typical_size(true):
        return False
    for relative in SIDES:
        ahead, back = (gradients_nudged(run, place, sign * relative) for sign in (1, -1))
        if ahead is None or back is None:
            return False
        mine, its = (
            typical_size(a - 2 * here + b)
            for here, a, b in zip((got, true), ahead, back, strict=True)
        )
        if its > ROUGH * error and its > ROUGHER * mine:
            return True
    return False


def is_of_the_inputs(run: Run, place: int, got: Tensor, true: Tensor) -> bool:
    """Whether what differs comes of the rounding of the user's inputs to their own dtype.

    A formula may ask of them what holds up to that, as that a quaternion has length 1: beside it
    two right formulas are two functions. One rounding further on their difference is another.
    """
    dtype = run.case.dtype_given
    if dtype is None or run.reference is None or run.epsilon > DOUBLE:
        return False
    epsilon, error = torch.finfo(dtype).eps, got - true
    if not typical_size(error) <= OF_THE_INPUTS * epsilon * typical_size(true):
        return False
    there = gradients_nudged(run, place, epsilon)
    return there is not None and is_rough(error, there[0] - there[1])


def excess_is_of_the_inputs(
    run: Run, directions: Sequence[Tensor], excess: float, scale: float
) -> bool:
    """The same of differences along some directions: whether their excess is that rounding."""
    dtype = run.case.dtype_given
    if dtype is None or run.epsilon > DOUBLE:
        return False
    epsilon = torch.finfo(dtype).eps
    if not abs(excess) <= OF_THE_INPUTS * epsilon * scale:
        return False
    try:
        there = run_both(run.candidate, None, nudged(run.case, epsilon, run.generator()), run.seed)
    except RefusedError:
        return False
    objective = Objective(run.candidate, there.case, there.cotangents, there.claimed)
    slope = settled_slope(objective.line(directions), scale)
    other = slope.value - objective.claimed_slope(directions)
    return math.isfinite(other) and abs(other - excess) > ROUGH * abs(excess)


def gradients_nudged(run: Run, place: int, relative: float) -> tuple[Tensor, Tensor] | None:
    """The candidate's gradient and the reference's at inputs nudged; None where one has none."""
    if run.reference is None:
        return None
    case = nudged(run.case, relative, run.generator())
    try:
        mine, its = (
            backward(subject, forward(subject, case), run.cotangents)[place]
            for subject in (run.candidate, run.reference)
        )
    except RefusedError:
        return None
    return None if mine is None or its is None else (mine, its)
