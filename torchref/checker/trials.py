"""The variations of a case, tried one after the other on candidate and reference."""

from collections.abc import Callable
from dataclasses import dataclass, field

from torchref.checker.accusation import accuse
from torchref.checker.by_differences import judge_by_differences
from torchref.checker.by_reference import judge_by_reference
from torchref.checker.case import Case
from torchref.checker.contract import breaches
from torchref.checker.findings import Finding
from torchref.checker.forwards import compare_forwards
from torchref.checker.ledger import Ledger
from torchref.checker.scene import RefusedError, Scene, forward, play
from torchref.checker.subject import Subject
from torchref.checker.variations import variations
from torchref.errors import InputError

NAME = "variations of the inputs"
ENOUGH = 3  # found wrong, after which no more are tried


@dataclass
class Trials:
    """Variations count where the reference accepts them and is finite."""

    candidate: Subject
    reference: Subject | None
    seed: int
    ledger: Ledger
    tick: Callable[[str], None]
    tried: int = 0
    refused: int = 0
    guilty: int = 0
    lax: list[str] = field(default_factory=list)

    def run(self, given: Case) -> None:
        for kind, case in variations(given, self.seed):
            if not case.elements:
                continue  # nothing to differentiate, and some kernels crash on it
            self.tick(case.label)
            try:
                scene = play(self.candidate, self.reference, case, self.seed)
            except (RefusedError, InputError) as refusal:
                self._refused(refusal, kind, case)
                continue
            if scene.cotangents and scene.makes_sense:
                self.tried += 1
                self.guilty += self._judge(scene, kind)
            if self.guilty >= ENOUGH:
                break
        note = f"{self.tried} tried, {self.refused} refused by candidate or reference"
        self.ledger.note_on(NAME, note)
        if self.lax:
            first = f"{len(self.lax)} inputs that the reference refuses, the first {self.lax[0]}"
            self.ledger.note(f"the candidate accepts {first}")

    def _refused(self, refusal: Exception, kind: str, case: Case) -> None:
        """Sizes, ranks, ignored indices and absent tensors may be more than was promised.

        With other values of the same shape a backward should not raise after its forward did
        not, and a candidate should refuse what the reference refuses.
        """
        self.refused += 1
        if kind != "values" or not isinstance(refusal, RefusedError):
            return
        if refusal.subject is self.candidate and refusal.phase == "backward":
            finding = Finding("raises", None, None, str(refusal), case.label)
            self.ledger.enter(NAME, [finding])
            self.guilty += 1
        elif refusal.subject is self.reference and refusal.phase == "forward":
            try:
                forward(self.candidate, case)
            except (RefusedError, InputError):
                return
            self.lax.append(case.label)

    def _judge(self, scene: Scene, kind: str) -> bool:
        """Whether the candidate is found wrong."""
        forward_found = compare_forwards(scene)
        if forward_found:
            # Of another rank the reference may be another function: a softmax over dim=1.
            if kind == "ranks":
                self.ledger.note(f"{scene.case.label}: the forwards differ, so it is left out")
                return False
            self.ledger.enter(NAME, forward_found)
            return True
        # A size that broadcasts may be more than was promised: autograd's sum is right.
        broken = breaches(scene.raw, scene.case.label)
        found = [finding for finding in broken if finding.cause != "missing-reduction"]
        judgement = (
            judge_by_differences(scene)
            if scene.true is None
            else judge_by_reference(scene, scene.true)
        )
        for note in judgement.notes:
            self.ledger.note(note)
        if judgement.told:
            found += [finding for fault in judgement.faults for finding in accuse(scene, fault)]
        self.ledger.enter(NAME, found + judgement.blameless, judgement.worst)
        return bool(found)
