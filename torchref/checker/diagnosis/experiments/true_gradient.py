"""The true gradient under other cotangents, and who knows it."""

import torch
from torch import Tensor

from torchref.checker.execution.arithmetic import same
from torchref.checker.execution.case import Case
from torchref.checker.execution.own_forward import own_forward
from torchref.checker.execution.run import RefusedError, Run, backward, forward
from torchref.checker.execution.subject import Subject
from torchref.checker.execution.tape import Cotangents
from torchref.checker.oracles.bisection import Objective, numeric_gradient
from torchref.checker.oracles.wrong_entries import SMALL

STEP = 2.0**-9  # of the differences, in units of the typical entry


def gradient_of(subject: Subject, case: Case, cotangents: Cotangents, place: int) -> Tensor | None:
    """One argument's gradient by a subject's own backward, where it gives one."""
    try:
        return backward(subject, forward(subject, case), cotangents)[place]
    except RefusedError:
        return None


def knowing(run: Run, place: int, true: Tensor) -> Subject | None:
    """Whose backward gives the true gradient: the reference's, or that of the candidate's forward.

    None where neither gives `true` here: what it says elsewhere tells nothing then.
    """
    subject = run.reference or own_forward(run)
    if subject is None:
        return None
    here = gradient_of(subject, run.case, run.cotangents, place)
    return subject if here is not None and same(here, true) else None


def true_under(run: Run, place: int, true: Tensor, cotangents: Cotangents) -> Tensor | None:
    """By who knows it; by differences where nobody does and there are few entries."""
    subject = knowing(run, place, true)
    if subject is not None:
        return gradient_of(subject, run.case, cotangents, place)
    if run.case.elements > SMALL:
        return None
    claimed = [torch.zeros_like(x) for x in run.case.arguments]
    return numeric_gradient(Objective(run.candidate, run.case, cotangents, claimed), place, STEP)[0]
