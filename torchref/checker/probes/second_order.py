"""Second order: the backward differentiated, held to differences of the backward itself.

torch's own fused rules are wrong in places above first order, so no reference is asked. The
gradient is a function of the arguments and of grad_output; it is differentiated by both.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from torchref.checker.execution.arithmetic import draw_signed, inner, norm
from torchref.checker.execution.numbers import told_apart
from torchref.checker.execution.run import Run, run_both
from torchref.checker.execution.tape import Cotangents, Tape, accumulating_anew, leaves_behind
from torchref.checker.oracles.directional_derivative import central_slope, draw_directions
from torchref.checker.oracles.kinks import one_sided, steps_at
from torchref.checker.oracles.symmetric import symmetric_where_shared
from torchref.checker.probes.probe import Outcome, first_line
from torchref.checker.report.findings import Finding


@dataclass(frozen=True)
class GradientLine:
    """⟨v, gradient(x + t dx, c + t dc)⟩ as a function of t: its slope is a second derivative."""

    run: Run
    directions: Sequence[Tensor]
    turns: Cotangents
    weights: Sequence[Tensor]

    @property
    def epsilon(self) -> float:
        return self.run.epsilon

    def rise(self, start: float, end: float) -> tuple[float, float]:
        ends = zip(self.weights, self._at(start), self._at(end), strict=True)
        rows = [(v, g0, g) for v, g0, g in ends if g0 is not None and g is not None]
        total = sum(inner(v, g - g0) for v, g0, g in rows)
        noise = norm(v * torch.maximum(g0.abs(), g.abs()) for v, g0, g in rows)
        return total, 64 * self.run.epsilon * noise

    def _at(self, t: float) -> tuple[Tensor | None, ...]:
        case = self.run.case
        moved = {
            i: torch.add(case.leaves[i], d, alpha=t)
            for i, d in zip(case.wrt, self.directions, strict=True)
        }
        cotangents = {
            i: torch.add(c, self.turns[i], alpha=t) for i, c in self.run.cotangents.items()
        }
        return Tape(self.run.candidate, case.derived("moved", moved)).gradients(cotangents)


def second_order(run: Run) -> Outcome:
    """Silently wrong is a finding, and a hazard to a first order; refused by an error is none.

    At a kink of the gradient there is no second derivative, so it is tried nearby.
    """
    outcome, kinked = _second_order_at(run)
    if not kinked:
        return outcome
    generator = run.generator()
    moves = symmetric_where_shared(run, draw_directions(run.case, generator))
    nudged = {
        i: x + steps_at(run.epsilon).nudge * move
        for i, x, move in zip(run.case.wrt, run.case.arguments, moves, strict=True)
    }
    nearby = run_both(run.candidate, None, run.case.derived("nearby", nudged), run.seed)
    outcome, kinked = _second_order_at(nearby)
    return Outcome.skip("the gradient has kinks here") if kinked else outcome


def _second_order_at(run: Run) -> tuple[Outcome, bool]:
    tape = Tape(run.candidate, run.case)
    cotangents = {i: c.clone().requires_grad_() for i, c in run.cotangents.items()}
    try:
        first = tape.pull(cotangents, create_graph=True)
    except Exception as error:
        return Outcome.skip(f"the backward refuses create_graph: {first_line(error)}"), False
    generator = run.generator()
    weights = [draw_signed(x, generator) for x in run.case.arguments]
    directions = symmetric_where_shared(run, draw_directions(run.case, generator))
    turns = {i: draw_signed(c, generator) for i, c in run.cotangents.items()}
    pulled = [
        (g, v) for g, v in zip(first, weights, strict=True) if g is not None and g.requires_grad
    ]
    moving = [*tape.arguments, *cotangents.values()]
    along = [*directions, *turns.values()]
    claimed: Sequence[Tensor | None] = (None,) * len(moving)
    if pulled:
        try:
            # Not by `grad`, which leaves out the node by which once_differentiable refuses.
            gradients = [g for g, _ in pulled]
            with accumulating_anew([*leaves_behind(gradients), *moving]):
                torch.autograd.backward(gradients, [v for _, v in pulled])
                claimed = [x.grad for x in moving]
        except Exception as error:
            why = f"refused by an error, as it should be: {first_line(error)}"
            return Outcome.skip(why), False
    parts = [(h, d) for h, d in zip(claimed, along, strict=True) if h is not None]
    expected = sum(inner(h, d) for h, d in parts)
    scale = norm(h * d for h, d in parts)
    size = norm(g.detach() for g in first if g is not None)
    line = GradientLine(run, directions, turns, weights)
    slope = central_slope(line, scale if math.isfinite(scale) else size)
    if not math.isfinite(slope.error):
        return Outcome.skip("differences of the gradient do not settle here"), False
    tolerance = slope.tolerance + (1e3 * run.epsilon + run.candidate.tolerance) * (scale + size)
    worst = abs(slope.value - expected) / tolerance if tolerance else 0.0
    if not math.isfinite(expected):
        worst = math.inf  # NaN where differences of the gradient settle
    if worst <= 1:
        return Outcome(worst=worst), False
    if one_sided(line).kinked:
        return Outcome(), True
    how = "differentiated again" if pulled else "no graph leads back from the gradient"
    mine, true = told_apart(expected, slope.value)
    name = _worst_argument(run, claimed, directions, turns, weights)
    what = "it is" if name else "the derivative by grad_output is"
    evidence = (
        f"{how}: along a random direction {what} {mine}, differences of the gradient say {true}"
    )
    found = Finding("second-order-wrong", name, None, evidence, run.case.label, hazard=True)
    return Outcome([found], worst), False


def _worst_argument(
    run: Run,
    claimed: Sequence[Tensor | None],
    directions: Sequence[Tensor],
    turns: Cotangents,
    weights: Sequence[Tensor],
) -> str | None:
    """The argument along which the second derivative is furthest off; None for grad_output."""
    still = [torch.zeros_like(d) for d in directions]
    unturned = {i: torch.zeros_like(c) for i, c in turns.items()}
    lines = [
        GradientLine(run, [*still[:k], d, *still[k + 1 :]], unturned, weights)
        for k, d in enumerate(directions)
    ]
    errors = [
        abs(central_slope(line).value - (0.0 if h is None else inner(h, d)))
        for line, h, d in zip(lines, claimed, directions, strict=False)
    ]
    turned = GradientLine(run, still, turns, weights)
    in_turns = zip(claimed[len(directions) :], turns.values(), strict=True)
    errors.append(
        abs(central_slope(turned).value - sum(inner(h, c) for h, c in in_turns if h is not None))
    )
    worst = errors.index(max(errors))
    return run.case.argument_names[worst] if worst < len(directions) else None
