"""The course of a cross-check: which case meets which oracle and probe, and what is made of it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from torchref.checker import generated_inputs as trials
from torchref.checker.diagnosis.diagnose import accuse
from torchref.checker.execution.case import Case
from torchref.checker.execution.cuda import ends_the_context
from torchref.checker.execution.run import RefusedError, Scene, play
from torchref.checker.execution.subject import Subject
from torchref.checker.inputs.smaller import smaller_scene
from torchref.checker.oracles.differences import judge_by_differences
from torchref.checker.oracles.forward import compare_forwards
from torchref.checker.oracles.reference import judge_by_reference
from torchref.checker.probes import BEHAVIOUR, HIGHER_ORDER
from torchref.checker.probes.contract import breaches
from torchref.checker.probes.probe import Outcome, Probe, first_line
from torchref.checker.report.findings import Finding
from torchref.checker.report.judgement import Fault, Judgement
from torchref.checker.report.ledger import Ledger
from torchref.checker.report.numbers import told_apart
from torchref.errors import InputError

Judge = Callable[[Scene], Judgement]
LARGE = 20_000  # elements; above it behaviour is tried on a smaller case
MANY = 500  # elements; above it the variations, which are many, start from a smaller case


@dataclass
class Examination:
    """A candidate under examination; what is found goes into the ledger."""

    candidate: Subject
    reference: Subject | None
    seed: int
    tick: Callable[[str], None]
    vary: bool = True
    thorough: bool = True
    ledger: Ledger = field(default_factory=Ledger)
    trying: str = ""

    def run(self, given: list[Case]) -> None:
        """All of it; or what was learnt until an assertion on the device ended the CUDA context."""
        try:
            self._run(given)
        except Exception as error:
            if not ends_the_context(error):
                raise
            evidence = f"{first_line(error)}: no CUDA call works in this process from here on"
            self.ledger.enter("device", [Finding("raises", None, None, evidence, self.trying)])
            self.ledger.note("what was not tried by then was not checked; start a new process")

    def _tick(self, what: str) -> None:
        self.trying = what
        self.tick(what)

    def _run(self, given: list[Case]) -> None:
        """The cases given; behaviour, variations of them and higher orders until it is guilty."""
        scenes = [scene for case in given if (scene := self.examine(case)) is not None]
        if scenes and not any(_compares(scene) for scene in scenes):
            why = "all that is differentiated is empty, or all that comes out: nothing was compared"
            self.ledger.undecided("gradient", f"{why}; give inputs that have entries")
        if not scenes or not self.thorough:
            return
        scene = smaller_scene(scenes[0], LARGE)
        if self._probe(scene, BEHAVIOUR) or self.ledger.guilty:
            return
        self._vary(smaller_scene(scene, MANY))
        if not self.ledger.guilty:
            self._probe(scene, HIGHER_ORDER)

    def examine(self, case: Case) -> Scene | None:
        """One case of the user's: the contract, the forward, and both oracles at first order."""
        self._tick(case.label)
        try:
            scene = play(self.candidate, self.reference, case, self.seed)
        except RefusedError as refusal:
            if ends_the_context(refusal):
                raise
            if refusal.of_writing_into_leaf:
                return self._examine_on_copies(refusal, case)
            self._refused(refusal, case)
            return None
        if not scene.cotangents:
            self._accuse_detached(scene)
            return None
        self.ledger.enter("contract", breaches(scene.raw, case.label))
        notes: list[str] = []
        forward_found = compare_forwards(scene, notes)
        for note in notes:
            self.ledger.note(note)
        if scene.reference is not None:
            self.ledger.enter("forward", forward_found)
        self._judge(scene, trust_reference=not forward_found)
        return scene

    def _examine_on_copies(self, refusal: RefusedError, case: Case) -> Scene | None:
        """What works in place may not write into a leaf, but into what was computed from it."""
        if refusal.subject is self.candidate:
            self.candidate = self.candidate.on_copies()
        elif self.reference is not None:
            self.reference = self.reference.on_copies()
        self.ledger.note(f"{refusal.subject.title} writes into its inputs, and is given copies")
        return self.examine(case)

    def _judge(self, scene: Scene, trust_reference: bool) -> None:
        if scene.shared:
            names = ", ".join(sorted(function.__name__ for function in scene.shared))
            self.ledger.note(
                f"the reference applies {names} as the candidate does, and is no witness of it: "
                "differences of the forward decide"
            )
            scene = replace(scene, true=None)
        if scene.true is None or not trust_reference:
            numeric = judge_by_differences(scene)
            self._conclude("gradient by differences", scene, numeric, judge_by_differences)
            return
        by_reference = _judge_by_reference(scene)
        self._conclude("gradient by reference", scene, by_reference, _judge_by_reference)
        if self.thorough and not by_reference.faults and not by_reference.blameless:
            numeric = judge_by_differences(scene, reference_agrees=True)
            self._conclude("gradient by differences", scene, numeric, None)

    def _conclude(
        self, name: str, scene: Scene, judgement: Judgement, decisive: Judge | None
    ) -> None:
        """`decisive` is the oracle where it has the last word: what it leaves open stays open."""
        for note in judgement.notes:
            self.ledger.note(note)
        if judgement.told:
            found = self._accuse(scene, judgement.faults, decisive) if decisive else []
            self.ledger.enter(name, found + judgement.blameless, judgement.worst)
        elif decisive:
            self.ledger.undecided(name, f"{scene.case.label}: {judgement.why}")
        else:
            self.ledger.skip(name, f"{scene.case.label}: {judgement.why}")

    def _accuse(self, scene: Scene, faults: list[Fault], judge: Judge) -> list[Finding]:
        """The findings; of a large case at small sizes if it is wrong there: they tell more."""
        small = smaller_scene(scene, LARGE) if faults else scene
        there = judge(small).faults if small is not scene else []
        if not there:
            return accuse(scene, faults)
        for fault in faults:
            got, true = told_apart(fault.got_value, fault.true_value)
            where = f"{fault.name}{list(fault.element)}, {scene.case.label}"
            self.ledger.note(f"{where}: got {got}, should be {true}")
        return accuse(small, there)

    def _probe(self, scene: Scene, probes: dict[str, Probe]) -> bool:
        """Whether a probe found the candidate guilty; those after it are left out then."""
        for name, probe in probes.items():
            self._tick(name)
            outcome = _tried(probe, scene)
            if outcome.findings and scene.reference is not None:
                outcome = self._excused(name, probe, scene, outcome)
            if outcome.skipped:
                self.ledger.skip(name, outcome.skipped)
            else:
                self.ledger.enter(name, outcome.findings, outcome.worst)
            if outcome.findings and self.ledger.guilty:
                return True
        return False

    def _excused(self, name: str, probe: Probe, scene: Scene, outcome: Outcome) -> Outcome:
        """What the reference does too, the candidate is not blamed for; but it is noted."""
        assert scene.reference is not None
        try:
            other = play(scene.reference, None, scene.case, scene.seed)
        except RefusedError:
            return outcome
        shared = {finding.cause for finding in _tried(probe, other).findings}
        for finding in outcome.findings:
            if finding.cause in shared:
                both = f"candidate and reference alike are {finding.cause}"
                self.ledger.note(f"{name}: {both}: {finding.evidence}")
        kept = [finding for finding in outcome.findings if finding.cause not in shared]
        return replace(outcome, findings=kept, worst=outcome.worst if kept else None)

    def _vary(self, scene: Scene) -> None:
        if not self.vary:
            self.ledger.skip(trials.NAME, "by vary=False")
            return
        if scene.case.elements > LARGE:
            why = f"more than {LARGE:,} elements; give others by samples="
            self.ledger.skip(trials.NAME, why)
            return
        if self.reference is None and self.ledger.is_undecided:
            why = "differences cannot judge them: they do not settle at the inputs given"
            self.ledger.skip(trials.NAME, why)
            return
        trials.Trials(self.candidate, self.reference, self.seed, self.ledger, self._tick).run(
            scene.case
        )

    def _refused(self, refusal: RefusedError, case: Case) -> None:
        if refusal.of_inference_tensor:
            raise InputError(
                f"{refusal.subject.title} must hold no tensor made inside torch.inference_mode",
                "its forward raised that inference tensors cannot be saved for backward",
                "Make the module, and what the function closes over, outside of it, or clone it.",
            )
        if refusal.subject is self.reference:
            raise InputError(
                "the reference must accept the inputs",
                f"{refusal} ({case.label})",
                "Call the reference on them to see; wrt= leaves out what it cannot differentiate.",
            )
        finding = Finding("raises", None, None, str(refusal), case.label)
        self.ledger.enter(refusal.phase, [finding])

    def _accuse_detached(self, scene: Scene) -> None:
        evidence = "no output requires grad although an input does"
        finding = Finding("missing-gradient", None, None, evidence, scene.case.label)
        self.ledger.enter("gradient", [finding])


def _compares(scene: Scene) -> bool:
    """Whether there is a gradient with an entry, of an output with an entry."""
    return scene.case.elements > 0 and any(c.numel() for c in scene.cotangents.values())


def _judge_by_reference(scene: Scene) -> Judgement:
    assert scene.true is not None
    return judge_by_reference(scene, scene.true)


def _tried(probe: Probe, scene: Scene) -> Outcome:
    try:
        return probe(scene)
    except Exception as error:  # the candidate may fail in ways no probe foresees
        if ends_the_context(error):
            raise
        return Outcome.skip(f"could not be tried: {first_line(error)}")
