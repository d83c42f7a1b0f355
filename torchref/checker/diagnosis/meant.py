"""What is found at a variation and may be meant, where no reference says what should come.

A backward may bound what grows without bound, by an epsilon of its own; a forward that reads
two entries of a row says nothing of a third; and what cancels to 0 leaves its rounding.
"""

from torch import Tensor

from torchref.checker.execution.arithmetic import inner, typical_size
from torchref.checker.execution.run import Run
from torchref.checker.oracles.bisection import Objective
from torchref.checker.oracles.directional_derivative import central_slope
from torchref.checker.oracles.tolerance import cancelled
from torchref.checker.report.oracle_result import Fault

GROWN = 4.0  # times, beyond which an epsilon may be meant to bound a gradient
GROWS_ON = 1.5  # times, as the inputs are halved


def may_be_meant(given: Run, run: Run, kind: str, fault: Fault) -> str:
    """Why a fault at a variation of some kind is no mistake, in words; empty where it is one."""
    if fault.got is None or fault.true is None or fault.wrong is None:
        return ""
    place = given.case.argument_names.index(fault.name)
    before = given.case.arguments[place]
    if _is_left_of_zero(run, fault.got[fault.wrong], fault.true[fault.wrong], given.claimed[place]):
        return f"{fault.name}, {run.case.label}: what should be 0 is what rounding leaves of it"
    if kind == "sizes" and _is_unread(before, fault.true, fault.wrong):
        return f"{fault.name}, {run.case.label}: the forward does not read what is more than given"
    if kind == "values" and _is_bounded(given, run, fault, fault.got.detach(), fault.true):
        return (
            f"{fault.name}, {run.case.label}: the gradient stays smaller than the slope, which has "
            "grown there: an epsilon may bound it"
        )
    return ""


def _is_left_of_zero(run: Run, got: Tensor, true: Tensor, before: Tensor) -> bool:
    """Whether what should be 0 is a rounding of a gradient as large as that at the inputs given."""
    near = got.detach().abs() <= cancelled(run, typical_size(before))
    return not bool(true.any()) and bool(near.all())


def _is_unread(before: Tensor, true: Tensor, wrong: Tensor) -> bool:
    """Whether what is wrong lies beyond the sizes given alone, where nothing moves the outputs."""
    if wrong.dim() != before.dim() or wrong.shape == before.shape:
        return False
    inside = wrong[tuple(slice(size) for size in before.shape)]
    return not bool(inside.any()) and not bool(true[wrong].any())


def _is_bounded(given: Run, run: Run, fault: Fault, got: Tensor, true: Tensor) -> bool:
    """Whether the gradient is the true one but shorter, where that is large and grows on.

    Where the forward has an epsilon of its own, its slope grows no more.
    """
    before = dict(zip(given.case.argument_names, map(typical_size, given.claimed), strict=True))
    if typical_size(true[fault.wrong]) <= GROWN * before[fault.name]:
        return False
    if inner(got, true) < 0 or inner(got, got) > inner(true, true):
        return False
    place, x = run.case.wrt[fault.place], run.case.arguments[fault.place]
    nearer = run.case.derived(run.case.label, {place: x / 2})
    objective = Objective(run.candidate, nearer, run.cotangents, run.claimed)
    size = typical_size(x) / 2 or 1.0
    slope = central_slope(objective.line(objective.unit(fault.place, fault.element, size)))
    return abs(slope.value) / size > GROWS_ON * abs(fault.true_value)
