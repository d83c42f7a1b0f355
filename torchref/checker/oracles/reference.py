"""Entry by entry against the reference's gradient; disputes go to the numeric oracle."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from torchref.checker.execution.arithmetic import (
    DOUBLE,
    are_finite,
    identical,
    typical_size,
)
from torchref.checker.execution.numbers import dtype_name, told_apart
from torchref.checker.execution.run import Run
from torchref.checker.execution.tape import Gradients
from torchref.checker.oracles.bisection import Objective
from torchref.checker.oracles.directional_derivative import settled_slope
from torchref.checker.oracles.kinks import (
    MANY,
    admitted,
    has_ties,
    least_error,
    one_sided,
    sums_over_ties,
    ties,
)
from torchref.checker.oracles.rounding import is_of_the_inputs, lost_by_reference
from torchref.checker.oracles.same_precision import errors_of, is_rounded_truth
from torchref.checker.oracles.tolerance import (
    SIXTEEN_BITS,
    cancelled,
    conditioning,
    entry_tolerance,
)
from torchref.checker.report.findings import Finding
from torchref.checker.report.oracle_result import Fault, OracleResult

JUDGED = 8  # so many disputed elements are taken to the numeric oracle one by one
RANKS = 64  # places among those that it ties with, at which an element is asked
CLEAR = 1e-3  # one error is so far below another that it does not matter beside it


def judge_by_reference(
    run: Run,
    true_gradients: Gradients,
    given: bool = True,
    sizes: Callable[[], Mapping[str, float]] | None = None,
) -> OracleResult:
    """`given` says that the inputs are the user's, and worth a hundred passes in 16 bits.

    At a variation `sizes` says how large each gradient may be before what cancels: where it
    cancels, its rounding does not.
    """
    result = OracleResult()
    reach: list[Tensor] | None = None
    unknown: list[str] = []
    epsilon = run.epsilon
    for place, (argument, claimed) in enumerate(
        zip(run.case.arguments, true_gradients, strict=True)
    ):
        got = run.claimed[place]
        true = torch.zeros_like(argument) if claimed is None else claimed
        if identical(got, true):
            continue
        if epsilon > SIXTEEN_BITS and not given and is_rounded_truth(run, place):
            continue
        allowed = entry_tolerance(run, argument, true)
        excess = _excess(got, true, allowed)
        if bool((excess > 1).any()) and epsilon < SIXTEEN_BITS:
            reach = conditioning(run, true_gradients) if reach is None else reach
            before = sizes().get(run.case.argument_names[place], 0.0) if sizes else 0.0
            excess = _excess(got, true, allowed + reach[place] + cancelled(run, before))
        worst = float(excess.max()) if excess.numel() else 0.0
        if worst == 0 and not are_finite([true]) and _is_unknown(got, true):
            unknown.append(run.case.argument_names[place])
        if worst > 1 and not _settled(run, place, true, excess > 1, result):
            result.worst = max(result.worst, worst)
        else:
            result.worst = max(result.worst, min(worst, 1.0))
    if unknown:
        why = f"all that the reference says of {', '.join(unknown)} is NaN or infinite"
        if len(unknown) == len(true_gradients):
            return result.cannot_tell(why)
        result.notes.append(f"{run.case.label}: {why}, and was compared with nothing")
    return result


def _is_unknown(got: Tensor, true: Tensor) -> bool:
    """Whether the candidate has numbers where the reference has none at all."""
    return not bool(torch.isfinite(true).any()) and bool(torch.isfinite(got).any())


def _excess(got: Tensor, true: Tensor, allowed: Tensor) -> Tensor:
    """The error of each entry over its tolerance; 0 where the truth itself is not finite."""
    error = (got - true).abs().double()
    excess = torch.nan_to_num(error / allowed, torch.inf, torch.inf)
    return torch.where((error == 0) | ~torch.isfinite(true), 0, excess)


def _settled(run: Run, place: int, true: Tensor, differs: Tensor, result: OracleResult) -> bool:
    """Candidate and reference differ: rounding, a kink, a wrong reference, or a wrong candidate."""
    name, got = run.case.argument_names[place], run.claimed[place]
    if (dtype := run.case.dtype_given) is not None:
        its = dtype_name(dtype)
        if _agrees_to(dtype, run, got[differs], true[differs]):
            result.notes.append(f"{name}, {run.case.label}: right to the digits of {its}, as given")
            return True
        if is_of_the_inputs(run, place, got, true):
            comes = f"what differs comes of the inputs' own rounding to {its}"
            result.notes.append(f"{name}, {run.case.label}: {comes}")
            return True
    worst, verdicts = _asked(run, place, true, differs)
    if "kink" in verdicts:  # those that tie may all be farther than any that is wrong
        untied = differs & ~ties(run.case.arguments)[place].to(differs.device)
        if verdicts == {"kink"} and bool(untied.any()):
            element, more = _asked(run, place, true, untied)
            worst, verdicts = (element, more) if "candidate" in more else (worst, verdicts)
        if "candidate" in verdicts and bool(untied[worst]):
            differs = untied
    if verdicts == {"rounding"}:
        return True
    if verdicts == {"kink"}:
        objective = _objective(run)
        if not has_ties(run.case.arguments) or not sums_over_ties(objective, run.generator())[1]:
            result.notes.append(
                f"{name}, {run.case.label}: {_counted(differs)} no derivative; any value between "
                "the one-sided derivatives is accepted"
            )
            return True
    if "reference" in verdicts <= {"reference", "undecided", "rounding"}:
        its, mine = told_apart(true[worst].item(), got[worst].item())
        evidence = f"the reference says {its}, candidate and differences of the forward {mine}"
        result.blameless.append(Finding("reference-wrong", name, worst, evidence, run.case.label))
        return True
    if lost_by_reference(run, place, got, true):
        result.notes.append(f"{name}, {run.case.label}: the reference loses digits here")
        return True
    if run.epsilon > DOUBLE and not got.is_complex() and (errors := errors_of(run, place)):
        systematic = errors.systematic & differs
        if not bool(systematic.any()):
            beside = f"what differs is rounding, {errors.digits()}"
            if not errors.largest:
                beside = "another value than the reference's here, and the same beside it"
            result.notes.append(f"{name}, {run.case.label}: {beside}")
            return True
    values = got[worst].item(), true[worst].item()
    result.faults.append(Fault(place, name, run.got[place], true, differs, worst, *values))
    return False


def _asked(run: Run, place: int, true: Tensor, entries: Tensor) -> tuple[tuple[int, ...], set[str]]:
    """The farthest element, or the first that the candidate has wrong, and what is said of them."""
    elements, verdicts = _farthest(run.claimed[place], true, entries), set[str]()
    for element in elements:
        verdicts.add(_verdict(run, place, true, element))
        if "candidate" in verdicts:  # which nothing said of another element excuses
            return element, verdicts
    return elements[0], verdicts


def _farthest(got: Tensor, true: Tensor, differs: Tensor) -> list[tuple[int, ...]]:
    """Of the elements that differ those that differ most; the first, where some are alike."""
    distance = torch.nan_to_num((got - true).abs().double(), torch.inf, torch.inf)
    order = distance[differs].argsort(descending=True, stable=True)[:JUDGED]
    return [tuple(map(int, place)) for place in differs.nonzero()[order]]


def _counted(differs: Tensor) -> str:
    count = int(differs.sum())
    return "one entry has" if count == 1 else f"{count} entries have"


def _agrees_to(dtype: torch.dtype, run: Run, got: Tensor, true: Tensor) -> bool:
    """Whether every entry differs by a constant's rounding to the dtype of the user's inputs."""
    if run.epsilon > DOUBLE:
        return False
    return bool(((got - true).abs() <= torch.finfo(dtype).eps * true.abs()).all())


def _objective(run: Run) -> Objective:
    """Whose differences decide: the candidate's forward, or the surrogate's that stands for it."""
    surrogate = run.reference.surrogate if run.reference else None
    return Objective(surrogate or run.candidate, run.case, run.cotangents, run.claimed)


def _by_all_steps(
    objective: Objective, place: int, element: tuple[int, ...], value: float, reference: float
) -> str:
    """Who is right by differences of all steps, which see more digits than those to one side."""
    unit = typical_size(objective.case.arguments[place]) or 1.0
    line = objective.line(objective.unit(place, element, unit))
    slope = settled_slope(line, unit * max(abs(value), abs(reference)))
    if not slope.tolerance / unit < abs(value - reference) / 2:
        return "undecided"
    nearer = abs(slope.value / unit - value) < abs(slope.value / unit - reference)
    return "reference" if nearer else "candidate"


def _is_tied(run: Run, place: int, element: tuple[int, ...]) -> bool:
    """Whether entries tie; among many some do by chance, and the entry itself is asked."""
    tied = ties(run.case.arguments)
    if run.case.elements > MANY:
        return bool(tied[place][element])
    return any(bool(each.any()) for each in tied)


def _verdict(run: Run, place: int, true: Tensor, element: tuple[int, ...]) -> str:
    """Who is right at one element, by differences of the candidate's own forward."""
    got = run.claimed[place]
    if got.is_complex() or not bool(torch.isfinite(got[element])):
        return "candidate"
    objective = _objective(run)
    unit = typical_size(run.case.arguments[place]) or 1.0
    value, reference = float(got[element]), float(true[element])
    gap = abs(value - reference)
    if gap <= CLEAR * least_error(run.output_size, unit) and run.epsilon <= DOUBLE:
        return "rounding"  # before eight forwards are spent on what cannot decide
    sides = one_sided(objective.line(objective.unit(place, element)), unit)
    if not sides.error <= CLEAR * gap:  # the differences cannot decide
        if gap <= CLEAR * sides.error and run.epsilon <= DOUBLE:
            return "rounding"
        return _by_all_steps(objective, place, element, value, reference)
    if not sides.kinked:
        if sides.admits(value) and not sides.admits(reference):
            return "reference"
        tied = _is_tied(run, place, element)
        kink = tied and admitted(objective, place, element, run.generator(), RANKS)
        return "kink" if kink else "candidate"
    return "kink" if admitted(objective, place, element, run.generator(), RANKS) else "candidate"
