"""All entries at once, along one random direction, against differences of the forward itself."""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from torchref.checker.execution.arithmetic import (
    DOUBLE,
    held_in_16_bits,
    held_in_double,
    norm,
)
from torchref.checker.execution.numbers import told_apart
from torchref.checker.execution.run import Run
from torchref.checker.oracles.bisection import Objective
from torchref.checker.oracles.directional_derivative import (
    Line,
    Slope,
    central_slope,
    draw_directions,
    settled_slope,
)
from torchref.checker.oracles.kinks import (
    CONVENTION,
    denied_elements,
    has_ties,
    is_differentiable_along,
    one_sided,
    sums_over_ties,
    sums_without_ties,
)
from torchref.checker.oracles.piecewise_constant import (
    is_flat,
    is_nonzero_where_all_should_be_zero,
    is_rounded,
    line_of,
    moves_in_steps,
    stands_still,
)
from torchref.checker.oracles.rounding import excess_is_of_the_inputs
from torchref.checker.oracles.symmetric import SHARED, is_shared_by_triangles
from torchref.checker.oracles.tolerance import SAFETY, conditioning, slope_tolerance
from torchref.checker.oracles.wrong_entries import (
    SMALL,
    faults_at,
    faults_where_flat,
    find_faults,
    judge_each_entry,
    not_finite_though_smooth,
)
from torchref.checker.report.findings import Finding, look_at
from torchref.checker.report.oracle_result import OracleResult

FEW = 200  # entries, each of which is asked where they do not settle together
BESIDE = 2.0**-16  # a step to inputs of as many digits as their dtype has
IN_16_BITS = "the forward computes in 16 bits, and differences of it are as coarse as its rounding"
A_REFERENCE = "; give a reference, which is judged by the rounding of the same precision"
ITS_DTYPE = ", or let the forward compute in the dtype of its inputs, which are float64 here"
NOT_FINITE = "the gradient is not finite"


def judge_by_differences(
    run: Run, reference_agrees: bool = False, promised: bool = True
) -> OracleResult:
    """Only a disagreement is looked into, and only then does the cost depend on N.

    Where the inputs are none that the user gave, and nothing is `promised` of them, equal entries
    and zeros count as kinks and what does not settle is left. With `reference_agrees` the
    reference has the same gradient: then a disagreement at a kink is a convention that both keep,
    and any other is an error that both make.
    """
    result = OracleResult()
    if not run.cotangents or not run.case.elements:
        return result
    objective = Objective(run.candidate, run.case, run.cotangents, run.claimed)
    directions = draw_directions(run.case, run.generator())
    scale = norm(g * d for g, d in zip(run.claimed, directions, strict=True))
    if not math.isfinite(scale) and not all(bool(torch.isfinite(g).all()) for g in run.claimed):
        result.faults = [] if reference_agrees else not_finite_though_smooth(run, objective)
        result.worst = math.inf if result.faults else 0.0
        return result if result.faults else result.cannot_tell(NOT_FINITE)
    line = objective.line(directions)
    slope = central_slope(line, scale)
    if not math.isfinite(slope.error):
        return _judge_smooth_entries(run, objective, line, result, reference_agrees or not promised)
    claimed = objective.claimed_slope(directions)
    roundings = slope_tolerance(run, scale)
    result.worst = slope.distance(claimed, roundings)
    if result.worst <= 1:
        return result
    if reference_agrees and run.epsilon > DOUBLE:
        return result.cannot_tell("in this dtype the differences are coarser than the reference")
    objective = replace(objective, epsilon=_forward_epsilon(line))
    line = objective.line(directions)
    slope = settled_slope(line, scale)
    if not math.isfinite(slope.error):
        return _judge_smooth_entries(run, objective, line, result, reference_agrees or not promised)
    reach = conditioning(run, run.got if run.true is None else run.true)
    roundings += norm(r * d for r, d in zip(reach, directions, strict=True))
    result.worst = slope.distance(claimed, roundings)
    if result.worst <= 1:
        return result
    if excess_is_of_the_inputs(run, directions, slope.value - claimed, scale):
        its = "the inputs' own rounding to their dtype"
        result.notes.append(f"{run.case.label}: what differs comes of {its}")
        result.worst = 1.0
        return result
    if not reference_agrees and (moves_in_steps(line) or (slope.value == 0 and is_rounded(line))):
        return _judge_steps(run, objective, line, result)
    if is_shared_by_triangles(run, objective, reach, promised):
        result.notes.append(f"{run.case.label}: {SHARED}")
        result.worst = 1.0
        return result
    excess = slope.value - claimed
    sides = one_sided(line, noise=slope.error * slope.step)
    tied = has_ties(run.case.arguments) or sides.kinked
    if tied and promised and run.case.elements > SMALL:
        untied, apart = sums_without_ties(objective, directions)
        if abs(apart) > slope.tolerance + roundings:
            directions, excess, tied = untied, apart, False
    if tied:
        everywhere = [torch.ones_like(x, dtype=torch.bool) for x in run.case.arguments]
        if not (promised and is_differentiable_along(objective, everywhere, run.generator())):
            return _judge_at_kinks(run, objective, slope, reach, result, reference_agrees, promised)
    _accused(run, objective, directions, excess, slope, reach, result)
    return _both_wrong(run, result) if reference_agrees and result.faults else result


def _judge_smooth_entries(
    run: Run, objective: Objective, line: Line, result: OracleResult, reference_agrees: bool
) -> OracleResult:
    """Where the differences settle along some entries alone, those are judged, and only those.

    All of them are asked, where they are few: one entry that jumps does not silence the others,
    and where each settles, or has its kink, the gradient is known.
    """
    why = _unsettled(line, reference_agrees)
    in_16_bits = any(held_in_16_bits(y) for y in line.at(0.0))
    if not reference_agrees and not in_16_bits and moves_in_steps(line):
        return _judge_steps(run, objective, line, result)
    jumps = line.refusal or moves_in_steps(line) or in_16_bits
    if reference_agrees:
        return result.cannot_tell(why)
    if jumps or run.case.elements > FEW:
        return result.cannot_tell(why + _would_have_seen(objective, line))
    entries = judge_each_entry(run, objective)
    result.faults = faults_at(run, objective, entries.wrong)
    if result.faults:
        result.worst = math.inf
        return result
    if entries.all_known:
        result.worst = entries.worst
        result.notes += [f"{run.case.label}: {note}" for note in entries.notes]
        return result
    why += _would_have_seen(objective, line)
    right = f"along {entries.settled} of {entries.count} entries alone they do, and agree with it"
    return result.cannot_tell(f"{why}; {right}" if entries.settled else why)


def _would_have_seen(objective: Objective, line: Line) -> str:
    """How large an error the differences would have shown, though none counts as settled."""
    claimed = objective.claimed_slope(line.directions)
    slope = settled_slope(line, abs(claimed))
    if not SAFETY * slope.estimate < abs(slope.value):
        return ""
    value, near = f"{slope.value:.3g}", f"{SAFETY * slope.estimate:.1g}"
    seen = f"an error of {SAFETY * slope.estimate / abs(slope.value):.1%} would have been seen"
    apart = abs(slope.value - claimed) > SAFETY * slope.estimate
    says = f"along a random direction they are {value} ± {near} and the gradient says {claimed:.3g}"
    return f"; {says}: " + ("far apart, and a reference would decide" if apart else seen)


def _judge_steps(run: Run, objective: Objective, line: Line, result: OracleResult) -> OracleResult:
    """Any gradient but 0 is wrong where the forward is a step function, and not where it rounds."""
    if not is_flat(objective):
        return result.cannot_tell(_unsettled(line, reference_agrees=False))
    result.faults = faults_where_flat(run)
    result.worst = math.inf if result.faults else 0.0
    return result


def _forward_epsilon(line: Line) -> float:
    """Outputs that are float32 numbers, at inputs that are none, were rounded to them."""
    try:
        single = any(held_in_double(y) for y in line.at(BESIDE))
    except Exception:  # beside these inputs the forward may refuse
        single = False
    return max(line.epsilon, torch.finfo(torch.float32).eps if single else 0.0)


def _unsettled(line: Line, reference_agrees: bool) -> str:
    if any(held_in_16_bits(y) for y in line.at(0.0)):
        if reference_agrees:
            return IN_16_BITS
        doubled = line.case.arguments[0].dtype in (torch.float64, torch.complex128)
        return IN_16_BITS + A_REFERENCE + (ITS_DTYPE if doubled else "")
    if moves_in_steps(line):
        steps = "the forward moves in steps: it rounds, to few digits or to few values"
        choice = f"a gradient through that is a choice. {look_at('straight-through')}"
        return steps if reference_agrees else f"{steps}; {choice}"
    if not line.refusal:
        return "differences of the forward do not settle"
    return (
        f"beside these inputs the forward raises: {line.refusal}; give others, or leave out by "
        "wrt= what must not move"
    )


def _judge_at_kinks(
    run: Run,
    objective: Objective,
    slope: Slope,
    reach: Sequence[Tensor],
    result: OracleResult,
    reference_agrees: bool,
    promised: bool,
) -> OracleResult:
    directions, excess = sums_over_ties(objective, run.generator())
    if excess and not reference_agrees:
        return _accused(run, objective, directions, excess, slope, reach, result)
    denied = [] if reference_agrees else denied_elements(objective, run.generator(), promised)
    result.faults = faults_at(run, objective, [where for where, kinked in denied if not kinked])
    if result.faults:
        return result
    result.worst = 1.0
    if denied:
        return result.cannot_tell("there is no derivative here")
    result.notes.append(f"{run.case.label}: {CONVENTION}")
    return result


def _accused(
    run: Run,
    objective: Objective,
    directions: Sequence[Tensor],
    excess: float,
    slope: Slope,
    reach: Sequence[Tensor],
    result: OracleResult,
) -> OracleResult:
    result.faults = find_faults(run, objective, directions, excess, slope, reach)
    if not result.faults:
        return result.cannot_tell("no one step suits entries of magnitudes so different")
    return result


def _both_wrong(run: Run, result: OracleResult) -> OracleResult:
    faults, result.faults, result.worst = result.faults, [], 1.0
    # Who passes a gradient through steps has one of its own for the height of the steps as well.
    if any(
        is_nonzero_where_all_should_be_zero(fault) and stands_still(line_of(run, fault.place))
        for fault in faults
    ):
        names = ", ".join(fault.name for fault in faults)
        both = "candidate and reference pass a gradient through a forward that moves in steps"
        result.notes.append(f"{names}, {run.case.label}: {both}")
        return result
    result.blameless = [
        Finding(
            "reference-wrong",
            fault.name,
            fault.element,
            "candidate and reference say {}, differences of the forward {}".format(
                *told_apart(fault.got_value, fault.true_value)
            ),
            run.case.label,
        )
        for fault in faults
    ]
    return result
