"""Forwards that are constant piece by piece, as a rounding, a sign or a threshold is."""

from torchref.checker.execution.arithmetic import DOUBLE, typical_size
from torchref.checker.execution.run import Run
from torchref.checker.oracles.bisection import Objective
from torchref.checker.oracles.directional_derivative import Line, draw_directions
from torchref.checker.report.oracle_result import Fault

NEAR = (2.0**-20, 2.0**-24)  # steps within which a step function stands still
NEAR_IN_SINGLE = (2.0**-11, 2.0**-13)  # and within which what rounds to float32 moves
TOLD_BY_16_BITS = 2.0**-6  # relative: bfloat16 has two steps within it
SAMPLED = 16  # entries of each argument
FAR = (2.0**-4, 1.0, 8.0)  # and steps by one of which it moves


def stands_still(line: Line) -> bool:
    """Whether no bit of the outputs moves nearby, as far as their dtype can tell."""
    near = NEAR if line.epsilon <= DOUBLE else NEAR_IN_SINGLE
    return all(line.rise(-t, t)[0] == 0 for t in near)


def is_flat(objective: Objective) -> bool:
    """Whether single entries, moved by what 16 bits can tell, leave the outputs as they are.

    Steps of that size are a rounding to few digits, whose gradient is that of the function that is
    rounded; wider ones are a step function, whose gradient is 0.
    """
    tried = moved = 0
    for place, (x, got) in enumerate(zip(objective.case.arguments, objective.claimed, strict=True)):
        if x.is_complex():
            continue
        for element in map(tuple, (got != 0).nonzero()[:SAMPLED].tolist()):
            tried += 1
            moved += moves_by_few_digits(objective, place, element)
    return 2 * moved < tried


def moves_by_few_digits(objective: Objective, place: int, element: tuple[int, ...]) -> bool:
    """Whether an entry that is moved by what 16 bits can tell moves the outputs."""
    x = objective.case.arguments[place]
    size = TOLD_BY_16_BITS * (abs(float(x[element])) or typical_size(x) or 1.0)
    return objective.line(objective.unit(place, element, size)).rise(-1.0, 1.0)[0] != 0


def is_rounded(line: Line) -> bool:
    """Whether the outputs stand still to either side, and move where 16 bits can tell."""
    finest = NEAR[-1]
    still = line.rise(0.0, finest)[0] == line.rise(-finest, 0.0)[0] == 0
    return still and line.rise(-TOLD_BY_16_BITS, TOLD_BY_16_BITS)[0] != 0


def moves_in_steps(line: Line) -> bool:
    """Whether no bit of the outputs moves nearby, and some do further off."""
    return stands_still(line) and moves_far_off(line)


def moves_far_off(line: Line) -> bool:
    """Whether the outputs move at steps as large as the inputs, by more than they are rounded."""
    rises = (line.rise(-t, t) for t in FAR)
    return any(abs(rise) > rounding for rise, rounding in rises)


def line_of(run: Run, place: int) -> Line:
    """The outputs as one argument alone moves, in a random direction."""
    moves = draw_directions(run.case, run.generator())
    alone = [move if i == place else 0 * move for i, move in enumerate(moves)]
    return Objective(run.candidate, run.case, run.cotangents, run.claimed).line(alone)


def is_nonzero_where_all_should_be_zero(fault: Fault) -> bool:
    """Whether a finite gradient stands where the true one is 0 throughout."""
    if fault.got is None or fault.true is None or bool(fault.true.any()):
        return False
    return bool(fault.got.isfinite().all())
