"""A large case at small sizes, where more can be tried in less time."""

from collections.abc import Callable

from torchref.checker.execution.case import Case
from torchref.checker.execution.run import RefusedError, Run, run_both
from torchref.checker.inputs import shrunk
from torchref.errors import InputError


def smaller_run(
    run: Run, elements: int, is_in_domain: Callable[[Case], bool], tick: Callable[[str], None]
) -> Run:
    """The run itself, or where it has more elements a smaller one that both sides accept.

    A module's parameters are its own, and stay as large as they are.
    """
    if run.case.elements <= elements or run.candidate.state:
        return run
    case = shrunk(run.case)
    if not is_in_domain(case):
        return run
    tick(case.label)
    try:
        small = run_both(run.candidate, run.reference, case, run.seed)
    except (RefusedError, InputError):
        return run
    return small if small.cotangents and small.makes_sense else run
