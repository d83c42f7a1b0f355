"""The numeric oracle: how fast the outputs move along a direction, and how sure that is.

A directional derivative is a central difference, extrapolated to step 0 (Ridders 1982): the
difference at step h errs by a series in h², and each halving of the step removes one more term.
What the extrapolation still changes, and the rounding of the forward divided by the step, are
the estimate of its error; the tolerance of every numeric check is made of it.

Why no complex step, Im f(x + i·10⁻²⁰ d)/10⁻²⁰, which has no subtraction to lose digits in? Measured
with torch 2.13 on 480 right functions (the catalogue, torch's own, handwritten rules): where it
works it errs by 1e-16 of the slope, and these differences by 2e-15, with a tolerance of 1e-13 as
a rule and 1e-10 in nine of ten; it costs 0.7 times as much. But it works for 252 of them only:
189 refuse complex numbers (clamp, softmax, sort, every fused loss), 24 drop the imaginary part
without a word (abs, norm, var), and 12 give a wrong slope where differences are right, for they
conjugate, take a modulus or switch to another product inside (normalize, softsign, conv2d, qr).
An oracle that is silently wrong once in twenty times that it answers may accuse nobody, and what
it could acquit, the differences acquit already.
"""

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Generator, Tensor

from torchref.checker.execution.arithmetic import draw_signed, inner, norm, precision, typical_size
from torchref.checker.execution.case import Case
from torchref.checker.execution.cuda import can_rehearse, rehearse
from torchref.checker.execution.subject import Subject
from torchref.checker.execution.tape import Cotangents, evaluate
from torchref.checker.oracles.tolerance import OF_RISE, SAFETY

COARSE = (2.0**-3, 3)  # (first step, differences): for the smooth
MIDDLE = (2.0**-8, 3)  # for the smooth that bends within an eighth of its own size
FINEST = (2.0**-25, 2)  # for what has a kink within the larger steps
PATIENT = (COARSE, MIDDLE, (2.0**-13, 3), (2.0**-18, 3), FINEST)  # for a slope in dispute
ENOUGH = 1e-11  # relative to the scale of the slope: no need to go on
BENT = 1e-8  # more than this after two ladders: there is a kink within the steps
LOST = 1e-4  # more than this at the end: nothing converged, and no estimate can be believed


@dataclass(frozen=True)
class Slope:
    """A directional derivative, the estimate of its error, and the step that it was found at.

    `rounding` is the part of the error that rounding in the forward accounts for. Where nothing
    converged the error is infinite, and `estimate` what it seemed to be.
    """

    value: float
    error: float
    step: float
    rounding: float = 0.0
    estimate: float = math.inf

    @property
    def tolerance(self) -> float:
        return SAFETY * self.error

    def distance(self, claimed: float, rounding: float) -> float:
        """How far the claimed slope lies from it, over what it may."""
        smallest = sys.float_info.min  # below it numbers lose their digits, and tolerances are 0
        return abs(self.value - claimed) / (self.tolerance + rounding + smallest)


class Rising(Protocol):
    """Something that moves with t: `rise` says how far between two t, and the noise in it."""

    @property
    def epsilon(self) -> float: ...

    def rise(self, start: float, end: float) -> tuple[float, float]: ...


class Line:
    """The outputs of a subject along x + t d, weighed by cotangents.

    `epsilon` is the rounding of the forward, where that is more than its dtype's; `start` gives
    the outputs at x itself, where they are known.
    """

    def __init__(
        self,
        subject: Subject,
        case: Case,
        directions: Sequence[Tensor],
        cotangents: Cotangents,
        epsilon: float | None = None,
        start: Callable[[], list[Tensor]] | None = None,
    ) -> None:
        self.subject, self.case = subject, case
        self.directions, self.cotangents = directions, cotangents
        self.refusal = ""  # what the forward said where it raised
        self.epsilon = precision(cotangents.values()) if epsilon is None else epsilon
        self.rehearses = can_rehearse(subject, case)  # a step may leave the domain

        self._start = start

    def at(self, t: float) -> list[Tensor]:
        """The weighed outputs at x + t d."""
        return self._start() if t == 0 and self._start else self._outputs(t)

    def _outputs(self, t: float) -> list[Tensor]:
        leaves = list(self.case.leaves)
        for i, direction in zip(self.case.wrt, self.directions, strict=True):
            leaves[i] = torch.add(leaves[i], direction, alpha=t)
        if self.rehearses:
            rehearse(self.subject, self.case, leaves)
        outputs = evaluate(self.subject, self.case, leaves)
        if any(outputs[i].shape != c.shape for i, c in self.cotangents.items()):
            raise ValueError("the outputs have other shapes there")
        return [outputs[i].detach().clone() for i in self.cotangents]

    def rise(self, start: float, end: float) -> tuple[float, float]:
        """Σ c (y(end) − y(start)), and what rounding may have done to it.

        The outputs are subtracted entry by entry before they are summed: the sum of a million
        outputs has a rounding error of its own, larger than the difference looked for.
        """
        try:
            last, first = self.at(end), self.at(start)
        except Exception as error:  # a step left the domain, and the forward says so by raising
            self.refusal = str(error).strip().partition("\n")[0] or type(error).__name__
            return math.nan, math.inf
        rows = list(zip(self.cotangents.values(), first, last, strict=True))
        total = sum(inner(c, y - y0) for c, y0, y in rows)
        noise = norm(c * torch.maximum(y0.abs(), y.abs()) for c, y0, y in rows)
        return total, OF_RISE * self.epsilon * noise


def central_slope(line: Rising, scale: float = 0.0) -> Slope:
    """The derivative along the line at 0, with the step that suits it.

    `scale` is the size that the slope should have: differences that agree far below it do.
    """
    found = [_extrapolate(line.rise, *COARSE, scale)]
    size = max(scale, abs(found[0].value)) if math.isfinite(found[0].value) else scale
    if found[0].error > ENOUGH * size:
        found.append(_extrapolate(line.rise, *MIDDLE, scale))
        if min(s.error for s in found) > BENT * size or _dispute(found[0], found[1], safety=1) > 0:
            found = _without_standstill([*found, _extrapolate(line.rise, *FINEST, scale)])
    return _judged(found, scale)


def settled_slope(line: Line, scale: float) -> Slope:
    """As `central_slope`, for a slope that contradicts a claim: steps of all sizes are heard.

    Larger ones may leap over a pole, or stay on one side of a kink: no finer one may dispute
    the slope that is believed, and one other at least must confirm it.
    """
    found = _without_standstill([_extrapolate(line.rise, *ladder, scale) for ladder in PATIENT])
    # x + t d is rounded as well, and the forward hands that on by its slope.
    found = [replace(s, error=s.error + line.epsilon * scale / (2 * s.step)) for s in found]
    undisputed = [
        slope
        for place, slope in enumerate(found)
        if not any(_dispute(slope, finer) > 0 for finer in found[place + 1 :])
    ]
    best = _judged(undisputed, scale)
    return best if len(undisputed) > 1 else replace(best, error=math.inf)


def _without_standstill(found: list[Slope]) -> list[Slope]:
    """Without the finest steps where no bit of the forward has moved, though it does move."""
    moves = found[0].value != 0 and found[-1].value == 0
    return found[:-1] if moves else found


def _judged(found: Sequence[Slope], scale: float) -> Slope:
    """The best of some slopes, its error widened by what the finer ones say of it."""
    best = min(found, key=lambda slope: slope.error)
    finer = [slope for slope in found if slope.step < best.step]
    # A forward that rounds more than its dtype shows it at smaller steps: error times step stays.
    noise = max((s.error * s.step for s in finer), default=0.0)
    error = max(best.error, noise / best.step) if noise < math.inf else best.error
    # A pole within the larger steps shows as well: the smaller ones find another value.
    error = max([error, *(_dispute(best, s) for s in finer)])
    converged = error <= LOST * max(scale, abs(best.value))
    constant = scale == 0 and error <= 2 * best.rounding  # it should not move, and it does not
    return replace(best, error=error if converged or constant else math.inf, estimate=error)


def _dispute(one: Slope, other: Slope, safety: float = SAFETY) -> float:
    """How far two slopes lie apart beyond what their errors explain; not above 0 if they agree."""
    return abs(one.value - other.value) - safety * (one.error + other.error)


def slope_at_step(line: Rising, step: float, passes: int = 4) -> Slope:
    """The derivative along the line by a few forward passes, at a step known to suit."""
    halvings = passes // 2
    return _extrapolate(line.rise, 2 ** (halvings - 1) * step, halvings, 0.0)


def _extrapolate(
    rise: Callable[[float, float], tuple[float, float]], step: float, halvings: int, scale: float
) -> Slope:
    best = Slope(math.nan, math.inf, step)
    row: list[float] = []
    for level in range(halvings):
        h = step / 2**level
        difference, noise = rise(-h, h)
        if not math.isfinite(difference):
            break
        rounding = noise / (2 * h)
        previous, row = row, [difference / (2 * h)]
        for m, coarser in enumerate(previous, start=1):
            finer = row[-1]
            row.append(finer + (finer - coarser) / (4**m - 1))
            change = max(abs(row[m] - finer), abs(row[m] - coarser))
            if change + rounding < best.error:
                best = Slope(row[m], change + rounding, h, rounding)
        size = max(scale, abs(row[-1]))
        if best.error <= max(ENOUGH * size, 2 * rounding):
            break
    return best


def draw_directions(case: Case, generator: Generator) -> list[Tensor]:
    """A random direction: no entry is small, and each argument moves in its own units.

    Signs alone would let two equal errors cancel along half of all directions; with random
    magnitudes that has probability 0.
    """
    return [draw_signed(x, generator) * (typical_size(x) or 1.0) for x in case.arguments]
