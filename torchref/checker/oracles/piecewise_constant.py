"""Forwards that are constant piece by piece, as a rounding, a sign or a threshold is."""

from torchref.checker.execution.run import Run
from torchref.checker.oracles.bisection import Objective
from torchref.checker.oracles.directional_derivative import Line, Rising, draw_directions
from torchref.checker.report.oracle_result import Fault

NEAR = (2.0**-20, 2.0**-24)  # steps within which a step function stands still
FAR = (2.0**-4, 1.0, 8.0)  # and steps by one of which it moves


def stands_still(line: Rising) -> bool:
    """Whether no bit of the outputs moves nearby."""
    return all(line.rise(-t, t)[0] == 0 for t in NEAR)


def moves_in_steps(line: Rising) -> bool:
    """Whether no bit of the outputs moves nearby, and some do further off."""
    return stands_still(line) and any(line.rise(-t, t)[0] != 0 for t in FAR)


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
