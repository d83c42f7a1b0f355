"""Low precision: what changes from copy to copy is rounding, and what stays is a mistake.

A kernel that computes in float32 may err by many roundings where its formula cancels, so an
error alone proves nothing. The case is moved a little at random, several times; the truth is the
reference in float64 at the inputs as low precision rounds them, and the twin the reference in the
same low precision. Wrong is an entry whose mean error is more than roundings, more than twice
what the twin's worst is, and more than its own scatter can explain; and a gradient that is a
multiple of the true one, which of many entries shows where no single one does.
"""

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from torchref.checker.execution.arithmetic import (
    draw_signed,
    entry_sizes,
    largest_size,
    quantum,
    typical_size,
)
from torchref.checker.execution.case import Case
from torchref.checker.execution.run import RefusedError, Run, backward, forward
from torchref.checker.execution.subject import Subject
from torchref.checker.oracles.rounding import nudged
from torchref.checker.oracles.tolerance import OF_MEAN_ERROR_IN_16_BITS, mean_error_tolerance

COPIES, COPIES_OF_16_BITS = 16, 32  # of the case, each moved at random
MOVE = {torch.float32: 2.0**-7}  # relative; in 16 bits that is one rounding, and leaves it as it is
COARSE_MOVE = 2.0**-4  # relative, in 16 bits
STANDARD_ERRORS = 8.0  # that the mean error of rounding may lie away from 0
TWINS = 2.0  # times the largest mean error of the twin
QUANTA = 2.0  # smallest numbers of a dtype, that an error near 0 may have
NEARLY_TOO_LARGE = 16.0  # times smaller than the largest number of its dtype
PERCENT = 0.05  # of the gradient at an entry, that its error may go with
NO_ERROR = 1e-17  # which 17 digits stand for
TWINS_FACTOR = 4.0  # times what the twin's gradient as a whole is too large by


@dataclass(frozen=True)
class Errors:
    """The errors of candidate and twin at each copy, in units of the entry and the typical one.

    `factors` are by how much each copy's gradient as a whole is too large; `truth` is in the same
    units, and `unit` that of the last copy.
    """

    candidate: Tensor
    twin: Tensor
    factors: Tensor
    twins_factors: Tensor
    truth: Tensor
    unit: Tensor
    dtype: torch.dtype

    @property
    def systematic(self) -> Tensor:
        """Marks the entries whose error is no rounding."""
        mean, scatter = self.candidate.mean(0), self.candidate.std(0)
        of_twin = largest_size(self.twin.mean(0))
        bound = max(mean_error_tolerance(self.dtype), TWINS * of_twin)
        by_chance = STANDARD_ERRORS * scatter / math.sqrt(len(self.candidate))
        wrong = (mean.abs() > bound) & (mean.abs() > by_chance)
        return (
            wrong
            | self._is_multiple_at_the_entry
            | (self._is_multiple & (self.candidate.abs().amax(0) > 0))
        )

    @property
    def _is_multiple_at_the_entry(self) -> Tensor:
        """Marks entries whose error goes with the gradient; where that changes sign no mean tells.

        Several percent of it, beside what is left of the error and twice what the twin's worst is.
        """
        slope, left = _slope(self.candidate, self.truth)
        its, _ = _slope(self.twin, self.truth)
        least = max(PERCENT, TWINS * largest_size(its))
        return (slope.abs() > least) & (slope.abs() > STANDARD_ERRORS * left)

    @property
    def _is_multiple(self) -> bool:
        """Whether the gradient as a whole is too large or too small."""
        mean, count = float(self.factors.mean()), len(self.factors)
        by_chance = STANDARD_ERRORS * float(self.factors.std()) / math.sqrt(count)
        its = TWINS_FACTOR * abs(float(self.twins_factors.mean()))
        least = mean_error_tolerance(self.dtype)
        return abs(mean) > max(by_chance, its, least)

    @property
    def largest(self) -> float:
        """The largest error of the candidate."""
        return largest_size(self.candidate)

    def digits(self) -> str:
        """How many decimal digits the candidate has beside the twin, by their typical errors."""
        mine, its = (
            max(0.0, -math.log10(max(typical_size(errors), NO_ERROR)))
            for errors in (self.candidate, self.twin)
        )
        return f"{mine:.1f} digits beside the reference's {its:.1f} in the same precision"


def _slope(errors: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Of the errors on the gradient, entry by entry over the copies, and its standard error."""
    square = truth.square().sum(0).clamp_min(torch.finfo(torch.float64).tiny)
    slope = (errors * truth).sum(0) / square
    left = (errors - slope * truth).square().sum(0) / (len(errors) - 1)
    return slope, (left / square).sqrt()


def errors_of(run: Run, place: int) -> Errors | None:
    """None where one of them refuses the copies, or the candidate is not finite: no rounding.

    An entry whose truth is not finite, or too large for the dtype, counts for nothing.
    """
    assert run.reference is not None
    dtype = run.case.arguments[place].dtype
    mine, its, truths, factors, twins_factors = [], [], [], [], []
    unit, largest = torch.ones(()), torch.finfo(dtype).max / NEARLY_TOO_LARGE
    for copy in range(COPIES if dtype in MOVE else COPIES_OF_16_BITS):
        case = moved(run, MOVE.get(dtype, COARSE_MOVE), copy)
        try:
            truth = _gradient(run.reference, case.to(torch.float64), run, place)
            got = _gradient(run.candidate, case, run, place)
            twin = _gradient(run.reference, case, run, place)
        except RefusedError:
            return None
        counts = truth.abs() < largest
        truth = truth.where(counts, 0)
        unit = truth.abs() + (typical_size(truth) or 1.0)
        error = _beyond_the_quantum(got - truth, dtype).where(counts, 0)
        of_twin = torch.nan_to_num(_beyond_the_quantum(twin - truth, dtype), 0, 0, 0)
        of_twin = of_twin.where(counts, 0)
        if not bool(torch.isfinite(error).all()):
            return None
        mine.append(error / unit)
        its.append(of_twin / unit)
        truths.append(truth / unit)
        square = float(truth.square().sum()) or 1.0
        factors.append(float((error * truth).sum()) / square)
        twins_factors.append(float((of_twin * truth).sum()) / square)
    return Errors(
        torch.stack(mine),
        torch.stack(its),
        torch.tensor(factors, dtype=torch.float64, device="cpu"),
        torch.tensor(twins_factors, dtype=torch.float64, device="cpu"),
        torch.stack(truths),
        unit,
        dtype,
    )


def _beyond_the_quantum(error: Tensor, dtype: torch.dtype) -> Tensor:
    """Errors of no more than the smallest numbers of the dtype are none."""
    return error.masked_fill(error.abs() <= QUANTA * quantum(dtype), 0)


def is_rounded_truth(run: Run, place: int) -> bool:
    """Whether the gradient is the true one, rounded to its dtype once: no copies need be made."""
    assert run.reference is not None
    try:
        truth = _gradient(run.reference, run.case.to(torch.float64), run, place)
    except RefusedError:
        return False
    epsilon = torch.finfo(run.case.arguments[place].dtype).eps
    once = epsilon / 2 * truth.abs()
    unit = entry_sizes(truth)
    dtype = run.case.arguments[place].dtype
    error = _beyond_the_quantum(run.claimed[place].double() - truth, dtype).abs()
    return bool((error <= once + OF_MEAN_ERROR_IN_16_BITS * epsilon * unit).all())


def moved(run: Run, relative: float, copy: int) -> Case:
    """The case with every entry moved; differentiated zeros too, where conventions differ."""
    generator = Generator().manual_seed(run.seed + 1 + copy)
    case = nudged(run.case, relative, generator)
    zeros = {
        i: torch.where(
            x == 0, relative * (typical_size(x) or 1.0) * draw_signed(x, generator).abs(), x
        )
        for i, x in zip(case.wrt, case.arguments, strict=True)
        if bool((x == 0).any())
    }
    return case.derived("moved", zeros)


def _gradient(subject: Subject, case: Case, run: Run, place: int) -> Tensor:
    """In float64, whatever it was computed in; zeros for None."""
    tape = forward(subject, case)
    cotangents = {i: c.to(tape.outputs[i].dtype) for i, c in run.cotangents.items()}
    gradient = backward(subject, tape, cotangents)[place]
    return (torch.zeros_like(case.arguments[place]) if gradient is None else gradient).double()
