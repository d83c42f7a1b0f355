"""Symmetric matrices of which the forward reads one triangle, as torch's `cholesky` and `eigh` do.

The gradient of symmetric matrices gives half to either triangle. No step of one entry shows it, for
such a step leaves the symmetric matrices: it is right along symmetric changes.
"""

import math
from collections.abc import Sequence

from torch import Tensor

from torchref.checker.execution.arithmetic import agree, norm
from torchref.checker.execution.run import Run
from torchref.checker.oracles.bisection import Objective
from torchref.checker.oracles.directional_derivative import draw_directions, settled_slope
from torchref.checker.oracles.tolerance import slope_tolerance

UNREAD = (2.0**-20, 1.0)  # steps by which entries may move that are not read
SHARED = (
    "of a symmetric matrix the forward reads one triangle alone, and the gradient gives half to "
    "either: it is right along symmetric changes"
)


def is_shared_by_triangles(
    run: Run, objective: Objective, reach: Sequence[Tensor], promised: bool
) -> bool:
    """Whether the gradient is right along symmetric changes, and only those tell what it is.

    At inputs that were `promised` the matrices are symmetric as well.
    """
    drawn = draw_directions(run.case, run.generator())
    directions = symmetric_where_shared(run, drawn, promised)
    if all(one is other for one, other in zip(drawn, directions, strict=True)):
        return False
    scale = norm(g * d for g, d in zip(run.claimed, directions, strict=True))
    slope = settled_slope(objective.line(directions), scale)
    roundings = norm(r * d for r, d in zip(reach, directions, strict=True))
    allowed = slope.tolerance + slope_tolerance(run, scale) + roundings
    apart = abs(slope.value - objective.claimed_slope(directions))
    return math.isfinite(slope.error) and apart <= allowed


def symmetric_where_shared(
    run: Run, directions: Sequence[Tensor], promised: bool = True
) -> list[Tensor]:
    """The directions, made symmetric where one triangle is read and the gradient is of both."""
    objective = Objective(run.candidate, run.case, run.cotangents, run.claimed)
    found = list(directions)
    for place, (x, got) in enumerate(zip(run.case.arguments, run.claimed, strict=True)):
        is_of_both = _is_symmetric(got) and (_is_symmetric(x) or not promised)
        if is_of_both and _reads_one_triangle(objective, directions, place):
            found[place] = (directions[place] + directions[place].mH) / 2
    return found


def _is_symmetric(x: Tensor) -> bool:
    return x.dim() > 1 and x.shape[-1] == x.shape[-2] > 1 and agree(x, x.mH)


def _reads_one_triangle(objective: Objective, directions: Sequence[Tensor], place: int) -> bool:
    """Whether no bit of the outputs moves with what stands above the diagonal, or below it."""
    for triangle in (directions[place].triu(1), directions[place].tril(-1)):
        alone = [triangle if i == place else 0 * d for i, d in enumerate(directions)]
        line = objective.line(alone)
        if all(line.rise(0.0, step)[0] == 0 for step in UNREAD):
            return True
    return False
