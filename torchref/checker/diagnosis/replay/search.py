"""Looking for the one mistake that explains every gradient that is wrong, and leaves the others.

Each step of the reference's backward is made to err in turn. What a step passes on enters all
gradients behind it, and linearly: that tells which steps come into question, and by which factor.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.graph import Node

from torchref.checker.causes.factor import (
    NEAR,
    NO_ORIGIN,
    proportion,
    told_origins,
)
from torchref.checker.causes.mismatch import Hypothesis
from torchref.checker.diagnosis.replay.mistakes import (
    Mistake,
    at_another_value,
    exchanged,
    left_out,
    mistakes_at,
    negated,
    reordered,
)
from torchref.checker.diagnosis.replay.pairs import pairs_that_may_fit
from torchref.checker.diagnosis.replay.steps import Alteration, Step, altered, steps_back
from torchref.checker.execution.arithmetic import largest_size, same
from torchref.checker.execution.numbers import told_apart
from torchref.checker.execution.own_forward import own_forward
from torchref.checker.execution.run import RefusedError, Run, forward
from torchref.checker.execution.subject import Subject
from torchref.checker.execution.tape import Tape

MOST_STEPS = 300  # of a backward that is played again
MOST_ELEMENTS = 20_000  # of a case that is played again
MOST_GONE_BACK = 300_000  # steps in all plays together, after which no single step is tried: 3 s
NONE = 1e-12  # relative: what is changed by less is not changed
KEPT = {"self": 0, "other": 1, "mat1": 0, "mat2": 1}  # the operands that steps keep, by place
SAYS_SOMETHING = 3  # entries, of which one factor fits none by chance

Gradients = list[Tensor]
Way = tuple[Step, int]  # from a step to one of its operands


@dataclass(frozen=True)
class Explanation:
    """The arguments that one mistake makes wrong, and the mistake."""

    names: tuple[str, ...]
    hypothesis: Hypothesis


def one_mistake(run: Run, numbers: Mapping[str, float]) -> Explanation | None:
    """By the reference's own steps, or by those of the candidate's forward if they are in sight.

    `numbers` are those that a factor may come from.
    """
    if run.case.elements > MOST_ELEMENTS:
        return None
    for subject in (run.reference, own_forward(run)):
        rehearsal = None if subject is None else _rehearsal(run, subject)
        if rehearsal is not None:
            for hypothesis in rehearsal.explanations(numbers):
                return Explanation(rehearsal.wrong, hypothesis)
    return None


def _rehearsal(run: Run, subject: Subject) -> "Rehearsal | None":
    """None where its gradients are not the true ones, or where there is nothing to explain."""
    before = torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()
    torch.autograd.set_detect_anomaly(True, check_nan=False)  # by which nodes know their lines
    try:
        tape = forward(subject, run.case)
    except RefusedError:
        return None
    finally:
        torch.autograd.set_detect_anomaly(*before)
    names = run.case.argument_names
    try:
        steps = steps_back(tape.outputs, dict(zip(names, tape.arguments, strict=True)))
        rehearsal = Rehearsal(run, tape, steps)
    except RuntimeError:
        return None
    return rehearsal if rehearsal.makes_sense else None


class Rehearsal:
    """The right backward on a tape of its own, ready to be played with mistakes."""

    def __init__(self, run: Run, tape: Tape, steps: Sequence[Step]) -> None:
        self.run, self.tape, self.steps = run, tape, steps
        self.claimed = run.claimed
        self.gone_back = 0
        self.true = self.play({})
        pairs = zip(run.case.argument_names, self.claimed, self.true, strict=True)
        self.wrong = tuple(name for name, got, true in pairs if not _alike(got, true))

    @property
    def makes_sense(self) -> bool:
        finite = all(bool(torch.isfinite(g.abs()).all()) for g in (*self.claimed, *self.true))
        known = self.run.true
        agrees = known is None or all(
            _alike(mine, torch.zeros_like(mine) if its is None else its)
            for mine, its in zip(self.true, known, strict=True)
        )
        return bool(self.wrong) and finite and agrees and 0 < len(self.steps) <= MOST_STEPS

    def play(self, alterations: Mapping[Node, Alteration]) -> Gradients:
        """The gradients that come of a backward altered so."""
        self.gone_back += len(self.steps)
        with altered(alterations):
            pulled = self.tape.gradients(self.run.cotangents)
        arguments = zip(pulled, self.tape.arguments, strict=True)
        return [torch.zeros_like(x) if g is None else g for g, x in arguments]

    def explanations(self, numbers: Mapping[str, float]) -> Iterator[Hypothesis]:
        """The mistakes of one step, of one factor, of a line in a loop, of two paths, and so on."""
        ways = [(step, place) for step in self.steps for place in step.operands]
        shares = {way: self._share(way) for way in ways}
        yield from self._of_one_step(shares)
        yield from self._by_a_factor(shares, numbers)
        yield from self._of_many_steps("told", "each of the {} times that it is taken")
        yield from self._two_paths(shares)
        yield from self._one_path_alone(shares)
        yield from self._of_another_order(shares)
        yield from self._at_another_value(shares)
        yield from self._of_many_steps("name", "all {} steps of this kind")

    def _share(self, way: Way) -> Gradients:
        """What enters each gradient on this way alone."""
        step, place = way
        without = self.play({step.node: left_out(step, place).alteration})
        return [true - rest for true, rest in zip(self.true, without, strict=True)]

    def _touched(self, shares: Gradients) -> tuple[str, ...]:
        named = zip(self.run.case.argument_names, shares, self.true, strict=True)
        return tuple(
            name for name, share, true in named if largest_size(share) > NONE * largest_size(true)
        )

    def _of_one_step(self, shares: Mapping[Way, Gradients]) -> Iterator[Hypothesis]:
        places: dict[Step, list[int]] = defaultdict(list)
        for (step, place), share in shares.items():
            if self._touched(share) == self.wrong:
                places[step].append(place)
        for step, right_places in places.items():
            for place in right_places:
                yield from self._that_fit({step: left_out(step, place)})
                for mistake in mistakes_at(step, place):
                    yield from self._that_fit({step: mistake})
        for step in self.steps:
            if len(step.operands) > 1:
                for mistake in exchanged(step):
                    yield from self._that_fit({step: mistake})

    def _by_a_factor(
        self, shares: Mapping[Way, Gradients], numbers: Mapping[str, float]
    ) -> Iterator[Hypothesis]:
        for (step, place), share in shares.items():
            if self._touched(share) != self.wrong:
                continue
            excess = _common_proportion(
                [got - true for got, true in zip(self.claimed, self.true, strict=True)], share
            )
            if excess is None:
                continue
            factor = 1 + excess
            if abs(factor) < NONE:
                nothing = left_out(step, place)
                yield Hypothesis(nothing.cause, nothing.evidence)
                continue
            origin = told_origins(factor, numbers) or NO_ORIGIN
            told = f"{told_apart(factor, 1.0)[0]} times what it should be: {origin}"
            yield Hypothesis("constant-factor", f"what is passed {step.towards(place)} is {told}")

    def _one_path_alone(self, shares: Mapping[Way, Gradients]) -> Iterator[Hypothesis]:
        """Of an argument that is used in several places one path counts: = in place of +=."""
        told = []
        for i, name in enumerate(self.run.case.argument_names):
            if name not in self.wrong:
                continue
            paths = [way for way in shares if way[0].operands[way[1]] == name]
            alone = [way for way in paths if _alike(self.claimed[i], shares[way][i])]
            if len(paths) < 2 or not alone:
                return
            through = alone[0][0].told
            told.append(f"of {len(paths)} paths to {name} only that through {through} counts")
        yield Hypothesis("missing-term", "; ".join(told) + ": overwritten, where they add up?")

    def _of_another_order(self, shares: Mapping[Way, Gradients]) -> Iterator[Hypothesis]:
        for (step, place), share in shares.items():
            if self._touched(share) == self.wrong:
                for mistake in reordered(step, place):
                    yield from self._that_fit({step: mistake})

    def _at_another_value(self, shares: Mapping[Way, Gradients]) -> Iterator[Hypothesis]:
        values = dict(zip(self.run.case.argument_names, self.tape.arguments, strict=True))
        values = {name: x.detach() for name, x in values.items()}
        values |= {f"output {i}": y.detach() for i, y in enumerate(self.tape.outputs)}
        for step in self.steps:
            if "result" in step.saved:
                values[f"the result of {step.told}"] = step.saved["result"]
            for kept, place in KEPT.items():
                if kept in step.saved and place in step.operands:
                    values.setdefault(f"{step.operands[place]} of {step.told}", step.saved[kept])
        for (step, place), share in shares.items():
            if self._touched(share) == self.wrong:
                for mistake in at_another_value(step, place, values):
                    yield from self._that_fit({step: mistake})

    def _of_many_steps(self, kind: str, where: str) -> Iterator[Hypothesis]:
        """The same mistake in every turn of a loop, or in all steps of a name."""
        groups: dict[str, list[Step]] = defaultdict(list)
        for step in self.steps:
            groups[getattr(step, kind)].append(step)
        for group in groups.values():
            for alike in _made_in_all(group) if len(group) > 1 else ():
                for found in self._that_fit(alike):
                    told = f"{found.evidence}, in {where.format(len(alike))}"
                    yield Hypothesis(found.cause, told)

    def _two_paths(self, shares: Mapping[Way, Gradients]) -> Iterator[Hypothesis]:
        """Two ways in error alike, as where mean and variance are held constant."""
        ways, shared = list(shares), list(shares.values())
        lost = [true - got for true, got in zip(self.true, self.claimed, strict=True)]
        for times, mistake in ((1, left_out), (2, negated)):
            for i, j in pairs_that_may_fit(shared, lost, times):
                both = [a + b for a, b in zip(shared[i], shared[j], strict=True)]
                rest = [true - times * share for true, share in zip(self.true, both, strict=True)]
                if self._touched(both) == self.wrong and self._fits(rest):
                    made = [mistake(*ways[i]), mistake(*ways[j])]
                    yield Hypothesis(made[0].cause, "; ".join(each.evidence for each in made))

    def _that_fit(self, mistakes: Mapping[Step, Mistake]) -> Iterator[Hypothesis]:
        if len(mistakes) == 1 and self.gone_back > MOST_GONE_BACK:
            return
        try:
            gradients = self.play({step.node: each.alteration for step, each in mistakes.items()})
        except RuntimeError:
            return
        if self._fits(gradients):
            mistake = next(iter(mistakes.values()))
            nothing = not any(
                bool(got.any())
                for name, got in zip(self.run.case.argument_names, self.claimed, strict=True)
                if name in self.wrong
            )
            yield Hypothesis("missing-gradient" if nothing else mistake.cause, mistake.evidence)

    def _fits(self, gradients: Gradients) -> bool:
        return all(_alike(a, b) for a, b in zip(self.claimed, gradients, strict=True))


def _made_in_all(group: Sequence[Step]) -> Iterator[dict[Step, Mistake]]:
    """Each mistake that every step of a group can make, made in all of them."""
    for place in group[0].operands:
        able = [step for step in group if place in step.operands]  # a stack of one has no second
        turns: dict[tuple[str, ...], list[Step]] = defaultdict(list)
        for step in able:
            turns[tuple(what for at, what in step.operands.items() if at != place)].append(step)
            turns["passed to", step.operands[place]].append(step)  # a carry starts with an argument
        groups = {tuple(group): None for group in (*turns.values(), able)}
        for steps in groups:
            each = [[left_out(step, place), *mistakes_at(step, place)] for step in steps]
            if len(steps) > 1 and len({len(its) for its in each}) == 1:
                for alike in zip(*each, strict=True):
                    yield dict(zip(steps, alike, strict=True))


def _alike(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and (same(a, b) or not bool(a.any() or b.any()))


def _common_proportion(rests: Gradients, shares: Gradients) -> float | None:
    """The r with rest = r · share in every gradient, where enough entries say so."""
    found = []
    for rest, share in zip(rests, shares, strict=True):
        if bool(share.any()):
            found.append(proportion(rest, share))
    if not found or any(r is None for r in found):
        return None
    first = found[0]
    assert first is not None
    if any(r is None or abs(r - first) > NEAR * abs(first) for r in found):
        return None
    entries = sum(int((share != 0).sum()) for share in shares)
    return first if entries >= SAYS_SOMETHING else None
