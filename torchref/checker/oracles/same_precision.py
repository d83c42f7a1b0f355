"""Low precision: what changes from copy to copy is rounding, and what stays is a mistake.

A kernel that computes in float32 may err by many roundings where its formula cancels, so an
error alone proves nothing. The case is moved a little at random, several times; the truth is the
reference in float64 at the inputs as low precision rounds them, and the twin the reference in the
same low precision. Wrong is an entry whose mean error is more than roundings, more than twice
what the twin's worst is, and more than its own scatter can explain.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from torchref.checker.execution.arithmetic import typical_size
from torchref.checker.execution.case import Case
from torchref.checker.execution.run import RefusedError, Run, backward, forward
from torchref.checker.execution.subject import Subject
from torchref.checker.oracles.rounding import nudged

COPIES = 16
MOVE = {torch.float32: 2.0**-7}  # relative; in 16 bits that is one rounding, and leaves it as it is
COARSE_MOVE = 2.0**-4
ROUNDINGS = {torch.float32: 64.0}  # of the entry and the typical one, that a mean error may have
FEW_ROUNDINGS = 0.25  # in 16 bits, where kernels add up in float32
STANDARD_ERRORS = 8.0
TWINS = 2.0  # times the largest mean error of the twin


@dataclass(frozen=True)
class Errors:
    """The errors of candidate and twin at each copy, in units of the entry and the typical one."""

    candidate: Tensor
    twin: Tensor
    dtype: torch.dtype

    @property
    def systematic(self) -> Tensor:
        """Marks the entries whose error is no rounding."""
        mean, scatter = self.candidate.mean(0), self.candidate.std(0)
        epsilon = torch.finfo(self.dtype).eps
        of_twin = float(self.twin.mean(0).abs().max()) if self.twin.numel() else 0.0
        bound = max(ROUNDINGS.get(self.dtype, FEW_ROUNDINGS) * epsilon, TWINS * of_twin)
        by_chance = STANDARD_ERRORS * scatter / math.sqrt(len(self.candidate))
        return (mean.abs() > bound) & (mean.abs() > by_chance)

    def digits(self) -> str:
        """How many decimal digits the candidate has beside the twin, by their typical errors."""
        mine, its = (
            -math.log10(max(typical_size(errors), 1e-17)) for errors in (self.candidate, self.twin)
        )
        return f"{mine:.1f} digits beside the reference's {its:.1f} in the same precision"


def errors_of(run: Run, place: int) -> Errors | None:
    """None where one of them refuses the copies or is not finite there: that is no rounding."""
    assert run.reference is not None
    dtype = run.case.arguments[place].dtype
    mine, its = [], []
    for copy in range(COPIES):
        case = nudged(run, MOVE.get(dtype, COARSE_MOVE), copy)
        try:
            truth = _gradient(run.reference, case.to(torch.float64), run, place)
            got = _gradient(run.candidate, case, run, place)
            twin = _gradient(run.reference, case, run, place)
        except RefusedError:
            return None
        unit = truth.abs() + (typical_size(truth) or 1.0)
        if not all(bool(torch.isfinite(g).all()) for g in (got, truth, twin)):
            return None
        mine.append((got - truth) / unit)
        its.append((twin - truth) / unit)
    return Errors(torch.stack(mine), torch.stack(its), dtype)


def _gradient(subject: Subject, case: Case, run: Run, place: int) -> Tensor:
    """In float64, whatever it was computed in; zeros for None."""
    tape = forward(subject, case)
    cotangents = {i: c.to(tape.outputs[i].dtype) for i, c in run.cotangents.items()}
    gradient = backward(subject, tape, cotangents)[place]
    return (torch.zeros_like(case.arguments[place]) if gradient is None else gradient).double()
