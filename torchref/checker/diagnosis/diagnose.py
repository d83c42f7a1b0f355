"""From faults to findings: each wrong gradient with its cause, its place and both values."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from torchref.checker.causes.mismatch import Hypothesis, Mismatch
from torchref.checker.causes.search import described, recognised
from torchref.checker.causes.subset import follows_an_index
from torchref.checker.diagnosis.experiments.cotangent_dependence import ignored
from torchref.checker.diagnosis.experiments.elementwise_slope import wrong_slope
from torchref.checker.diagnosis.experiments.jacobian import wrong_contributions
from torchref.checker.diagnosis.experiments.lost_digits import lost_digits
from torchref.checker.diagnosis.experiments.other_question import questions_answered
from torchref.checker.diagnosis.experiments.straight_through import passed_through
from torchref.checker.diagnosis.network.of_crosscheck import all_vague, lost_slopes
from torchref.checker.diagnosis.replay import Explanation, one_mistake
from torchref.checker.execution.arithmetic import SAME, is_differentiable, same
from torchref.checker.execution.numbers import told_apart
from torchref.checker.execution.run import RefusedError, Run
from torchref.checker.execution.time_limit import OutOfTimeError, require_time, time_limit
from torchref.checker.oracles.tolerance import SIXTEEN_BITS
from torchref.checker.report.findings import Finding
from torchref.checker.report.oracle_result import Fault

# What the values alone decide: no other question need be asked.
DECIDED = {
    "not-finite",
    "missing-gradient",
    "precision-loss",
    "swapped-arguments",
    "sign-flipped",
    "constant-factor",
}
VAGUE = {"", "missing-term"}  # which term it is, the steps of the reference may tell
UNSOUGHT = "its cause could not be sought"
NOT_WANTED = "its cause was not sought, by diagnose=False"
SEARCH = 1.5  # seconds of computing for the causes of what is wrong in one run
FEW = 0.5  # of the entries: then which they are says more than what else fits
TOLD = 2  # causes of one gradient
SURE = {"not-finite"}  # which spreads from one gradient to others


@dataclass(frozen=True)
class Accused:
    """One fault, the causes whose mark it bears, and its numbers where all are known."""

    fault: Fault
    hypotheses: Sequence[Hypothesis]
    wrong: Mismatch | None


def accuse(run: Run, faults: Sequence[Fault], diagnose: bool = True) -> list[Finding]:
    """The findings of the faults of one run, likelier cause first: one for each mistake.

    What is wrong stays so where the search for its cause fails, or is not wanted.
    """
    if not diagnose:
        return _undiagnosed(run, faults, NOT_WANTED)
    try:
        with time_limit(SEARCH, time.thread_time):
            return _with_causes(run, faults)
    except OutOfTimeError:
        require_time()  # of the whole call
        failed = f"{UNSOUGHT} within {SEARCH:g} s"
    except Exception as error:
        failed = f"{UNSOUGHT}: {type(error).__name__}: {error}"
    return _undiagnosed(run, faults, failed)


def _undiagnosed(run: Run, faults: Sequence[Fault], why: str) -> list[Finding]:
    return [_finding(run, [fault], [fault.name], _plain(fault, why)) for fault in faults]


def _plain(fault: Fault, evidence: str) -> Hypothesis:
    return Hypothesis("missing-gradient" if fault.got is None else "wrong-elements", evidence)


def _with_causes(run: Run, faults: Sequence[Fault]) -> list[Finding]:
    accused = [_accused(run, faults, fault) for fault in faults]
    if explained := _explained(run, accused):
        return [_finding(run, faults, explained.names, explained.hypothesis)]
    unmarked = {a.fault.name: a.wrong for a in accused if not a.hypotheses and a.wrong is not None}
    names_of: dict[Hypothesis, list[str]] = {}
    if together := lost_slopes(run, unmarked):
        names, hypothesis = together
        names_of[hypothesis] = list(names)
        unmarked = {name: wrong for name, wrong in unmarked.items() if name not in names}
    last = _last_resort(run, {each.fault.place: each.fault.name for each in accused}, unmarked)
    for each in accused:
        for hypothesis in each.hypotheses or last.get(each.fault.name, []):
            names_of.setdefault(hypothesis, []).append(each.fault.name)
    told = sorted(names_of.items(), key=lambda each: each[0].vague)
    return [_finding(run, faults, names, hypothesis) for hypothesis, names in told]


def _accused(run: Run, faults: Sequence[Fault], fault: Fault) -> Accused:
    hypotheses = _without_numbers(run, fault)
    if hypotheses or fault.got is None:
        return Accused(fault, hypotheses, None)
    assert fault.true is not None
    assert fault.wrong is not None
    wrong = wrong_gradient(run, faults, fault, fault.got.detach(), fault.true, fault.wrong)
    return Accused(fault, _most_telling(_hypotheses(run, fault, wrong)), wrong)


def _explained(run: Run, accused: Sequence[Accused]) -> Explanation | None:
    """One mistake behind all that is wrong, where the gradients alone do not tell the same one."""
    causes = {_cause(each) for each in accused}
    numbers = next((each.wrong.numbers for each in accused if each.wrong is not None), None)
    if numbers is None or causes & SURE or not (len(causes) > 1 or causes & VAGUE):
        return None
    return one_mistake(run, numbers)


def _cause(accused: Accused) -> str:
    """The first cause, if there is one that has no other behind it."""
    first = accused.hypotheses[0] if accused.hypotheses else None
    return "" if first is None or first.vague else first.cause


def _finding(
    run: Run, faults: Sequence[Fault], names: Sequence[str], hypothesis: Hypothesis
) -> Finding:
    """The values told are those of the first of the names."""
    fault = next(fault for fault in faults if fault.name in names)
    got, true = told_apart(fault.got_value, fault.true_value)
    where = f"{fault.name}: " if len(names) > 1 else ""
    evidence = f"{hypothesis.evidence}; {where}got {got}, should be {true}"
    told = ", ".join(names)
    at = run.case.label
    return Finding(hypothesis.cause, told, fault.element, evidence, at, hypothesis.vague)


def _without_numbers(run: Run, fault: Fault) -> list[Hypothesis]:
    """The causes for which no true gradient need be looked at entry by entry."""
    if fault.got is None:
        return [Hypothesis("missing-gradient", "None was returned")]
    if fault.true is None or fault.wrong is None:
        return [Hypothesis("wrong-elements", "found by halving along a random direction")]
    its = None if run.true is None else run.true[fault.place]
    if its is not None and same(fault.got, its) and not same(fault.true, its):
        told = "the gradient is the reference's: it is right once the forward is"
        return [Hypothesis("forward-wrong", told)]
    return list(passed_through(run, fault))


def _hypotheses(run: Run, fault: Fault, wrong: Mismatch) -> list[Hypothesis]:
    """The causes whose mark a wrong gradient bears; there may be none."""
    by_values = recognised(wrong)
    where = run, fault.place, wrong.got, wrong.true
    by_cotangent = list(ignored(*where))
    decided = by_values and by_values[0].cause in DECIDED and not by_values[0].vague
    if decided or same(wrong.got, wrong.true):
        return by_values + by_cotangent
    asked = list(questions_answered(*where))
    if follows_an_index(wrong):
        # What is written and not added keeps the last slice of grad_output: which says less.
        asked = [each for each in asked if each.cause != "missing-reduction"]
    if by_values and by_values[0].cause == "wrong-elements":
        # Slopes of few values, as of what is clipped, agree with those of other places by chance.
        elsewhere = [each for each in asked if each.cause == "missing-local-derivative"]
        if wrong.fraction <= FEW or elsewhere == asked:
            return by_values + by_cotangent + asked
    return asked + by_cotangent + by_values or list(lost_digits(*where))


def _most_telling(found: Sequence[Hypothesis]) -> list[Hypothesis]:
    """The first of each cause, without those that are vague where one is not."""
    first: dict[str, Hypothesis] = {}
    for hypothesis in [each for each in found if not each.vague] or found:
        first.setdefault(hypothesis.cause, hypothesis)
    return list(first.values())[:TOLD]


def _last_resort(
    run: Run, places: Mapping[int, str], wrong: Mapping[str, Mismatch]
) -> dict[str, list[Hypothesis]]:
    """What can be said of gradients that bear no mark: slopes, contributions, or one mistake."""
    told = {
        name: _looked_into(run, place, wrong[name])
        for place, name in places.items()
        if name in wrong
    }
    silent = {name: wrong[name] for name, found in told.items() if not found}
    if common := all_vague(silent):
        told |= {name: [replace(common, vague=True)] for name in silent}
    return {
        name: found or [replace(described(wrong[name]), vague=True)] for name, found in told.items()
    }


def _looked_into(run: Run, place: int, wrong: Mismatch) -> list[Hypothesis]:
    """The slope, if there is one, or else the contributions of single entries of grad_output."""
    which = described(wrong)
    for look in (wrong_slope, wrong_contributions) if wrong.fraction > FEW else ():
        with suppress(RefusedError):
            for found in look(run, place, wrong):
                if which.cause == "wrong-elements":  # which they are says more than what they are
                    evidence = f"{which.evidence}; {found.evidence}"
                    return [replace(which, evidence=evidence, vague=True)]
                return [replace(found, vague=True)]
    return [replace(which, vague=True)] if which.cause == "wrong-elements" else []


def wrong_gradient(
    run: Run, faults: Sequence[Fault], fault: Fault, got: Tensor, true: Tensor, wrong: Tensor
) -> Mismatch:
    """The fault with everything of its run that may take part in a rule."""
    values: dict[str, Tensor] = {}
    indices: dict[str, Tensor] = {}
    masks: dict[str, Tensor] = {}
    numbers: dict[str, float] = {}
    for name, leaf in zip(run.case.names, run.case.leaves, strict=True):
        if is_differentiable(leaf):
            values[name] = leaf
        elif isinstance(leaf, Tensor):
            (masks if leaf.dtype is torch.bool else indices)[name] = leaf
        elif isinstance(leaf, int | float) and not isinstance(leaf, bool):
            numbers[f"the argument {name} = {leaf:g}"] = float(leaf)
        if isinstance(leaf, Tensor):
            for dim, size in enumerate(leaf.shape):
                numbers.setdefault(f"{size}, the size of {name} along dimension {dim}", float(size))
            if leaf.dim() > 1:
                numbers[f"{leaf.numel()}, the number of elements of {name}"] = float(leaf.numel())
            elif is_differentiable(leaf) and leaf.numel() == 1 and not leaf.is_complex():
                numbers[f"the value of {name}"] = float(leaf)
    mine = values.pop(fault.name, None)
    values = ({} if mine is None else {fault.name: mine}) | values
    incoming: dict[str, Tensor] = {}
    for (i, c), y in zip(run.cotangents.items(), run.outputs, strict=True):
        incoming["grad_output" if len(run.cotangents) == 1 else f"grad_output {i}"] = c
        values["the output" if len(run.cotangents) == 1 else f"output {i}"] = y
        if y.dim() > 0:
            numbers.setdefault(f"{y.numel()}, the number of outputs", float(y.numel()))
    trues = {each.name: each.true for each in faults}  # all that is known without a reference
    trues |= dict(zip(run.case.argument_names, run.true or (), strict=False))
    others = {name: g for name, g in trues.items() if name != fault.name and g is not None}
    claims = dict(zip(run.case.argument_names, run.claimed, strict=True))
    return Mismatch(
        fault.name,
        got,
        true,
        wrong,
        values,
        others,
        claims,
        numbers,
        indices,
        masks,
        incoming,
        max(SAME, run.epsilon if run.epsilon > SIXTEEN_BITS else 0.0),
    )
