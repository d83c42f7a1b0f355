"""A large case at small sizes, where more can be tried in less time."""

from torchref.checker.execution.run import RefusedError, Run, run_both
from torchref.checker.inputs import shrunk
from torchref.errors import InputError


def smaller_run(run: Run, elements: int) -> Run:
    """The run itself, or where it has more elements a smaller one that both sides accept.

    A module's parameters are its own, and stay as large as they are.
    """
    if run.case.elements <= elements or run.candidate.state:
        return run
    try:
        small = run_both(run.candidate, run.reference, shrunk(run.case), run.seed)
    except (RefusedError, InputError):
        return run
    return small if small.cotangents and small.makes_sense else run
