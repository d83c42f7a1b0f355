"""From faults to findings: each wrong gradient with its cause, its place and both values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from torchref.checker.case import is_differentiable
from torchref.checker.diagnosis import Suspicion, Wrong, described, recognised
from torchref.checker.diagnosis.proportion import proportion
from torchref.checker.diagnosis.suspicion import SAME, same
from torchref.checker.faults import SMALL
from torchref.checker.findings import Finding
from torchref.checker.halving import Field, numeric_gradient
from torchref.checker.judgement import Fault
from torchref.checker.questions import questions_answered
from torchref.checker.reenactment import Explanation, one_mistake
from torchref.checker.roughness import lost_digits
from torchref.checker.scene import RefusedError, Scene, backward, forward
from torchref.checker.straight_through import passed_through
from torchref.checker.tape import Cotangents
from torchref.checker.together import all_vague, lost_slopes
from torchref.checker.told_apart import told_apart

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
    if common := all_vague(unmarked):
        names_of[common] = list(unmarked)
        unmarked = {}
    for each in accused:
        described_as = unmarked.get(each.fault.name)
        told = each.suspicions or ([described(described_as)] if described_as is not None else [])
        for suspicion in told:
            names_of.setdefault(suspicion, []).append(each.fault.name)
    return [_finding(scene, faults, names, suspicion) for suspicion, names in names_of.items()]


def _accused(scene: Scene, faults: Sequence[Fault], fault: Fault) -> Accused:
    suspicions = _without_numbers(scene, fault)
    if suspicions or fault.got is None:
        return Accused(fault, suspicions, None)
    assert fault.true is not None
    assert fault.wrong is not None
    wrong = wrong_gradient(scene, faults, fault, fault.got.detach(), fault.true, fault.wrong)
    return Accused(fault, _suspicions(scene, fault, wrong), wrong)


def _explained(scene: Scene, accused: Sequence[Accused]) -> Explanation | None:
    """One mistake behind all that is wrong, where the gradients alone do not tell the same one."""
    causes = {each.suspicions[0].cause if each.suspicions else "" for each in accused}
    numbers = next((each.wrong.numbers for each in accused if each.wrong is not None), None)
    if numbers is None or causes & SURE or not (len(causes) > 1 or causes & VAGUE):
        return None
    return one_mistake(scene, numbers)


def _finding(
    scene: Scene, faults: Sequence[Fault], names: Sequence[str], suspicion: Suspicion
) -> Finding:
    """The values told are those of the first of the names."""
    fault = next(fault for fault in faults if fault.name in names)
    got, true = told_apart(fault.got_value, fault.true_value)
    where = f"{fault.name}: " if len(names) > 1 else ""
    evidence = f"{suspicion.evidence}; {where}got {got}, should be {true}"
    told = ", ".join(names)
    return Finding(suspicion.cause, told, fault.element, evidence, scene.case.label)


def _without_numbers(scene: Scene, fault: Fault) -> list[Suspicion]:
    """The causes for which no true gradient need be looked at entry by entry."""
    if fault.got is None:
        return [Suspicion("missing-gradient", "None was returned")]
    if fault.true is None or fault.wrong is None:
        return [Suspicion("wrong-elements", "found by halving along a random direction")]
    return list(passed_through(scene, fault))


def _suspicions(scene: Scene, fault: Fault, wrong: Wrong) -> list[Suspicion]:
    """The causes whose mark a wrong gradient bears; there may be none."""
    by_values = recognised(wrong)
    by_cotangent = list(_cotangent_suspicions(scene, fault))
    decided = by_values and by_values[0].cause in DECIDED
    if decided or same(wrong.got, wrong.true):
        return by_values + by_cotangent
    asked = list(questions_answered(scene, fault.place, wrong.got, wrong.true))
    exact = asked + by_cotangent
    found = exact + [each for each in by_values if not exact or each.cause not in VAGUE]
    return found or list(lost_digits(scene, fault.place, wrong.got, wrong.true))


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


def _cotangent_suspicions(scene: Scene, fault: Fault) -> Iterator[Suspicion]:
    """Does the gradient change with grad_output at all, and is it right when that is all ones?"""
    ones = {i: torch.ones_like(c) for i, c in scene.cotangents.items()}
    try:
        unmoved = backward(scene.candidate, scene.tape, ones)[fault.place]
        true = _true_under(scene, fault.place, ones)
    except RefusedError:
        return
    if unmoved is None or fault.got is None or fault.true is None:
        return
    if len(ones) > 1:
        yield from _unheard_outputs(scene, fault)
    many = any(c.numel() > 1 for c in ones.values())
    if same(unmoved, fault.got):
        yield Suspicion("ignores-grad-output", "the same gradient comes back for all ones")
    elif many and true is not None and proportion(fault.got, fault.true) is None:
        ratio = proportion(unmoved, true)
        if ratio is not None:
            factor = "" if abs(ratio - 1) < SAME else f" up to a factor {ratio:.6g}"
            yield Suspicion(
                "ignores-grad-output",
                f"right{factor} when all entries of grad_output are equal, wrong when they differ",
            )


def _unheard_outputs(scene: Scene, fault: Fault) -> Iterator[Suspicion]:
    """Does each output's gradient count? Many a backward uses the first alone."""
    for i, cotangent in scene.cotangents.items():
        silenced = {**scene.cotangents, i: torch.zeros_like(cotangent)}
        got = backward(scene.candidate, scene.tape, silenced)[fault.place]
        true = _true_under(scene, fault.place, silenced)
        if got is None or true is None or fault.got is None or fault.true is None:
            continue
        if same(got, fault.got) and not same(true, fault.true):
            evidence = f"the gradient of output {i} takes no part: with zeros there the same comes"
            yield Suspicion("ignores-grad-output", f"{evidence} back")


def _true_under(scene: Scene, place: int, cotangents: Cotangents) -> Tensor | None:
    """The true gradient under other cotangents, where there is one to be had."""
    if scene.reference is not None:
        return backward(scene.reference, forward(scene.reference, scene.case), cotangents)[place]
    if scene.case.elements > SMALL:
        return None
    claimed = [torch.zeros_like(x) for x in scene.case.arguments]
    field = Field(scene.candidate, scene.case, cotangents, claimed)
    return numeric_gradient(field, place, 2.0**-9)[0]
