"""From faults to findings: each wrong gradient with its cause, its place and both values."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from torchref.checker.diagnosis import Suspicion, Wrong, described, recognised
from torchref.checker.diagnosis.experiments.cotangent_dependence import ignored
from torchref.checker.diagnosis.experiments.elementwise_slope import wrong_slope
from torchref.checker.diagnosis.experiments.jacobian import wrong_contributions
from torchref.checker.diagnosis.experiments.lost_digits import lost_digits
from torchref.checker.diagnosis.experiments.other_question import questions_answered
from torchref.checker.diagnosis.experiments.straight_through import passed_through
from torchref.checker.diagnosis.network.of_crosscheck import all_vague, lost_slopes
from torchref.checker.diagnosis.replay import Explanation, one_mistake
from torchref.checker.execution.arithmetic import is_differentiable, same
from torchref.checker.execution.run import RefusedError, Scene
from torchref.checker.report.findings import Finding
from torchref.checker.report.judgement import Fault
from torchref.checker.report.numbers import told_apart

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
FEW = 0.5  # of the entries: then which they are says more than what else fits
TOLD = 2  # causes of one gradient
SURE = {"not-finite"}  # which spreads from one gradient to others


@dataclass(frozen=True)
class Accused:
    """One fault, the causes whose mark it bears, and its numbers where all are known."""

    fault: Fault
    suspicions: Sequence[Suspicion]
    wrong: Wrong | None


def accuse(scene: Scene, faults: Sequence[Fault]) -> list[Finding]:
    """The findings of the faults of one scene, likelier cause first: one for each mistake.

    What is wrong stays so where the search for its cause fails.
    """
    try:
        return _with_causes(scene, faults)
    except Exception as error:
        failed = f"{UNSOUGHT}: {type(error).__name__}: {error}"
        return [_finding(scene, [fault], [fault.name], _plain(fault, failed)) for fault in faults]


def _plain(fault: Fault, evidence: str) -> Suspicion:
    return Suspicion("missing-gradient" if fault.got is None else "wrong-elements", evidence)


def _with_causes(scene: Scene, faults: Sequence[Fault]) -> list[Finding]:
    accused = [_accused(scene, faults, fault) for fault in faults]
    if explained := _explained(scene, accused):
        return [_finding(scene, faults, explained.names, explained.suspicion)]
    unmarked = {a.fault.name: a.wrong for a in accused if not a.suspicions and a.wrong is not None}
    names_of: dict[Suspicion, list[str]] = {}
    if together := lost_slopes(scene, unmarked):
        names, suspicion = together
        names_of[suspicion] = list(names)
        unmarked = {name: wrong for name, wrong in unmarked.items() if name not in names}
    last = _last_resort(scene, {each.fault.place: each.fault.name for each in accused}, unmarked)
    for each in accused:
        for suspicion in each.suspicions or last.get(each.fault.name, []):
            names_of.setdefault(suspicion, []).append(each.fault.name)
    told = sorted(names_of.items(), key=lambda each: each[0].vague)
    return [_finding(scene, faults, names, suspicion) for suspicion, names in told]


def _accused(scene: Scene, faults: Sequence[Fault], fault: Fault) -> Accused:
    suspicions = _without_numbers(scene, fault)
    if suspicions or fault.got is None:
        return Accused(fault, suspicions, None)
    assert fault.true is not None
    assert fault.wrong is not None
    wrong = wrong_gradient(scene, faults, fault, fault.got.detach(), fault.true, fault.wrong)
    return Accused(fault, _most_telling(_suspicions(scene, fault, wrong)), wrong)


def _explained(scene: Scene, accused: Sequence[Accused]) -> Explanation | None:
    """One mistake behind all that is wrong, where the gradients alone do not tell the same one."""
    causes = {_cause(each) for each in accused}
    numbers = next((each.wrong.numbers for each in accused if each.wrong is not None), None)
    if numbers is None or causes & SURE or not (len(causes) > 1 or causes & VAGUE):
        return None
    return one_mistake(scene, numbers)


def _cause(accused: Accused) -> str:
    """The first cause, if there is one that has no other behind it."""
    first = accused.suspicions[0] if accused.suspicions else None
    return "" if first is None or first.vague else first.cause


def _finding(
    scene: Scene, faults: Sequence[Fault], names: Sequence[str], suspicion: Suspicion
) -> Finding:
    """The values told are those of the first of the names."""
    fault = next(fault for fault in faults if fault.name in names)
    got, true = told_apart(fault.got_value, fault.true_value)
    where = f"{fault.name}: " if len(names) > 1 else ""
    evidence = f"{suspicion.evidence}; {where}got {got}, should be {true}"
    told = ", ".join(names)
    at = scene.case.label
    return Finding(suspicion.cause, told, fault.element, evidence, at, suspicion.vague)


def _without_numbers(scene: Scene, fault: Fault) -> list[Suspicion]:
    """The causes for which no true gradient need be looked at entry by entry."""
    if fault.got is None:
        return [Suspicion("missing-gradient", "None was returned")]
    if fault.true is None or fault.wrong is None:
        return [Suspicion("wrong-elements", "found by halving along a random direction")]
    its = None if scene.true is None else scene.true[fault.place]
    if its is not None and same(fault.got, its) and not same(fault.true, its):
        told = "the gradient is the reference's: it is right once the forward is"
        return [Suspicion("forward-wrong", told)]
    return list(passed_through(scene, fault))


def _suspicions(scene: Scene, fault: Fault, wrong: Wrong) -> list[Suspicion]:
    """The causes whose mark a wrong gradient bears; there may be none."""
    by_values = recognised(wrong)
    where = scene, fault.place, wrong.got, wrong.true
    by_cotangent = list(ignored(*where))
    decided = by_values and by_values[0].cause in DECIDED and not by_values[0].vague
    if decided or same(wrong.got, wrong.true):
        return by_values + by_cotangent
    asked = list(questions_answered(*where))
    if by_values and by_values[0].cause == "wrong-elements":
        # Slopes of few values, as of what is clipped, agree with those of other places by chance.
        elsewhere = [each for each in asked if each.cause == "missing-local-derivative"]
        if wrong.fraction <= FEW or elsewhere == asked:
            return by_values + by_cotangent + asked
    return asked + by_cotangent + by_values or list(lost_digits(*where))


def _most_telling(found: Sequence[Suspicion]) -> list[Suspicion]:
    """The first of each cause, without those that are vague where one is not."""
    first: dict[str, Suspicion] = {}
    for suspicion in [each for each in found if not each.vague] or found:
        first.setdefault(suspicion.cause, suspicion)
    return list(first.values())[:TOLD]


def _last_resort(
    scene: Scene, places: Mapping[int, str], wrong: Mapping[str, Wrong]
) -> dict[str, list[Suspicion]]:
    """What can be said of gradients that bear no mark: slopes, contributions, or one mistake."""
    told = {
        name: _looked_into(scene, place, wrong[name])
        for place, name in places.items()
        if name in wrong
    }
    silent = {name: wrong[name] for name, found in told.items() if not found}
    if common := all_vague(silent):
        told |= {name: [replace(common, vague=True)] for name in silent}
    return {
        name: found or [replace(described(wrong[name]), vague=True)] for name, found in told.items()
    }


def _looked_into(scene: Scene, place: int, wrong: Wrong) -> list[Suspicion]:
    """The slope, if there is one, or else the contributions of single entries of grad_output."""
    which = described(wrong)
    for look in (wrong_slope, wrong_contributions) if wrong.fraction > FEW else ():
        with suppress(RefusedError):
            for found in look(scene, place, wrong):
                if which.cause == "wrong-elements":  # which they are says more than what they are
                    evidence = f"{which.evidence}; {found.evidence}"
                    return [replace(which, evidence=evidence, vague=True)]
                return [replace(found, vague=True)]
    return [replace(which, vague=True)] if which.cause == "wrong-elements" else []


def wrong_gradient(
    scene: Scene, faults: Sequence[Fault], fault: Fault, got: Tensor, true: Tensor, wrong: Tensor
) -> Wrong:
    """The fault with everything of its scene that may take part in a rule."""
    values: dict[str, Tensor] = {}
    indices: dict[str, Tensor] = {}
    masks: dict[str, Tensor] = {}
    numbers: dict[str, float] = {}
    for name, leaf in zip(scene.case.names, scene.case.leaves, strict=True):
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
    for (i, c), y in zip(scene.cotangents.items(), scene.outputs, strict=True):
        incoming["grad_output" if len(scene.cotangents) == 1 else f"grad_output {i}"] = c
        values["the output" if len(scene.cotangents) == 1 else f"output {i}"] = y
        if y.dim() > 0:
            numbers.setdefault(f"{y.numel()}, the number of outputs", float(y.numel()))
    trues = {each.name: each.true for each in faults}  # all that is known without a reference
    trues |= dict(zip(scene.case.argument_names, scene.true or (), strict=False))
    others = {name: g for name, g in trues.items() if name != fault.name and g is not None}
    claims = dict(zip(scene.case.argument_names, scene.claimed, strict=True))
    return Wrong(
        fault.name, got, true, wrong, values, others, claims, numbers, indices, masks, incoming
    )
