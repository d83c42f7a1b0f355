"""The cross-check of every planted bug and of its control, each made once for all tests."""

from functools import cache

import torch
from torch import Tensor

from tests.checker.given.runs import seeded
from tests.corpora.wrong_ops import PlantedBug
from torchref import Report, crosscheck
from torchref.checker.execution.subject import as_subject


@cache
def report_on(bug: PlantedBug, which: str, inputs: str, seed: int = 0) -> Report:
    """`which` is "wrong" or "right", `inputs` are "ordinary" or "tripping" ones.

    To second order, for many of these bugs leave one ordinary backward right.
    """
    drawn = getattr(bug, inputs)(seeded(seed))
    return crosscheck(getattr(bug, which), bug.reference, drawn, wrt=wanted(bug, drawn), order=2)


def wanted(bug: PlantedBug, drawn: tuple) -> list[str] | None:
    """The names of the inputs that require grad; all floating-point ones where none has a name."""
    names = as_subject(bug.wrong).names
    if names is None:
        return None
    return [
        name
        for name, value in zip(names, drawn, strict=False)
        if isinstance(value, Tensor) and value.requires_grad
    ] or None


def named(bug: PlantedBug, report: Report) -> bool:
    """Whether the first cause is one that the bug must be given."""
    return bool(report.findings) and report.findings[0].cause in bug.causes


def ratio(flags: list[bool]) -> float:
    return torch.tensor(flags).double().mean().item()
