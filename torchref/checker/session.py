"""The course of a cross-check: which case meets which oracle and probe, and what is made of it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from torchref.checker import generated_inputs
from torchref.checker.diagnosis.diagnose import accuse
from torchref.checker.execution.case import Case
from torchref.checker.execution.cuda import ends_the_context
from torchref.checker.execution.numbers import told_apart
from torchref.checker.execution.run import RefusedError, Run, run_both
from torchref.checker.execution.subject import Subject
from torchref.checker.execution.time_limit import OutOfTimeError
from torchref.checker.inputs.preparation import prepared
from torchref.checker.inputs.smaller import smaller_run
from torchref.checker.oracles.differences import judge_by_differences
from torchref.checker.oracles.forward import compare_forwards
from torchref.checker.oracles.reference import judge_by_reference
from torchref.checker.probes import BEHAVIOUR, ENDED_BY, HELD, HIGHER_ORDER, NEED_RIGHT_GRADIENT
from torchref.checker.probes.contract import breaches, refused_shapes
from torchref.checker.probes.probe import Outcome, Probe, first_line, tried
from torchref.checker.promise import LAYOUTS, Promise
from torchref.checker.report.dependence import UNREPEATABLE
from torchref.checker.report.findings import Finding
from torchref.checker.report.ledger import Ledger
from torchref.checker.report.oracle_result import Fault, OracleResult

Judge = Callable[[Run], OracleResult]
LARGE = 20_000  # elements; above it behaviour is tried on a smaller case
PREPARATION = "the choice of the precision"
SECOND_ORDER = "second order"
MANY = 500  # elements; above it the variations, which are many, start from a smaller case


@dataclass
class Session:
    """One candidate on its way through all checks; what is found goes into the ledger."""

    candidate: Subject
    reference: Subject | None
    seed: int
    tick: Callable[[str], None]
    promise: Promise = field(default_factory=Promise)
    thorough: bool = True
    diagnose: bool = True
    ledger: Ledger = field(init=False)
    trying: str = PREPARATION
    is_witness: bool = True

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.promise.order, self.promise.expect)

    @property
    def probes(self) -> dict[str, bool]:
        """By name, whether the candidate is held to a probe: others it may refuse by an error."""
        return {name: name in HELD[self.promise.order] for name in (*BEHAVIOUR, *HIGHER_ORDER)}

    def run(self, given: list[Case]) -> None:
        """All of it; or what was learnt until an assertion on the device ended the CUDA context."""
        if self.promise.tolerance:
            error = f"{self.promise.tolerance:g} of the entry and the typical entry"
            self.ledger.note(f"outputs and gradients may err by {error}, by tolerance=")
        try:
            self._run(self._prepared(given))
        except OutOfTimeError:
            self._not_tried()
        except Exception as error:
            if not ends_the_context(error):
                raise
            evidence = f"{first_line(error)}: no CUDA call works in this process from here on"
            self.ledger.enter("device", [Finding("raises", None, None, evidence, self.trying)])
            self.ledger.note("what was not tried by then was not checked; start a new process")

    def _prepared(self, given: list[Case]) -> list[Case]:
        """The cases in the precision that is checked, without what the reference refuses."""
        sides, precision = (self.candidate, self.reference), self.promise.precision
        cases = prepared(*sides, given, precision, self.ledger.note, self.tick)
        self.promise.require_domain(cases, has_precision=True)
        return cases

    def _not_tried(self) -> None:
        """What the limit on time left out."""
        limit = f"the {self.promise.seconds:g} s of seconds= were over"
        self.ledger.note(f"{limit} at: {self.trying}")
        if not self.ledger.is_judged:
            self.ledger.undecided("gradient", f"{limit} before it was judged")
        if self.promise.order == 2 and SECOND_ORDER not in self.ledger.checks:
            self.ledger.undecided(SECOND_ORDER, f"{limit} before it was judged")
        for name in (*BEHAVIOUR, generated_inputs.NAME, *HIGHER_ORDER):
            if name not in self.ledger.checks:
                self.ledger.skip(name, limit)

    def _tick(self, what: str) -> None:
        self.trying = what
        self.tick(what)

    def _run(self, given: list[Case]) -> None:
        """The cases given, their behaviour, variations of them, and higher orders.

        What is found at one place ends the checks that mean nothing beside it, and no others.
        """
        runs = [run for case in given if (run := self.examine(case)) is not None]
        if runs and not any(run.compares for run in runs):
            why = "all that is differentiated is empty, or all that comes out: nothing was compared"
            self.ledger.undecided("gradient", f"{why}; give inputs that have entries")
        if not runs or not (self.thorough or self.promise.order == 2):
            return
        run = self._smaller(runs[0], LARGE)
        if not self.thorough:
            self._probe(run, {SECOND_ORDER: HIGHER_ORDER[SECOND_ORDER]})
            return
        self._probe(run, BEHAVIOUR)
        self._vary(self._smaller(run, MANY))
        self._probe(run, HIGHER_ORDER)

    def _smaller(self, run: Run, most: int) -> Run:
        return smaller_run(run, most, self.promise.admits, self._tick)

    def examine(self, case: Case) -> Run | None:
        """One case of the user's: the contract, the forward, and both oracles at first order."""
        self._tick(case.label)
        try:
            run = run_both(self.candidate, self.reference, case, self.seed)
        except RefusedError as refusal:
            if ends_the_context(refusal):
                raise
            if refusal.of_writing_into_leaf:
                return self._examine_on_copies(refusal, case)
            self._refused(refusal, case)
            return None
        if not run.cotangents:
            self._accuse_detached(run)
            return None
        self.ledger.enter("contract", breaches(run))
        forwards = compare_forwards(run)
        for note in forwards.notes:
            self.ledger.note(note)
        if run.reference is not None:
            self.ledger.enter("forward", forwards.findings, forwards.worst)
        if not (forwards.is_witness or forwards.findings):
            self.is_witness = False
            self.ledger.note(f"{forwards.why}: differences of the forward decide")
        self._judge(run, trust_reference=forwards.is_witness or self.promise.surrogate)
        return run

    def _examine_on_copies(self, refusal: RefusedError, case: Case) -> Run | None:
        """What works in place may not write into a leaf, but into what was computed from it."""
        if refusal.subject is self.candidate:
            self.candidate = self.candidate.on_copies()
        elif self.reference is not None:
            self.reference = self.reference.on_copies()
        self.ledger.note(f"{refusal.subject.title} writes into its inputs, and is given copies")
        return self.examine(case)

    def _judge(self, run: Run, trust_reference: bool) -> None:
        if run.shared:
            names = ", ".join(sorted(function.__name__ for function in run.shared))
            self.ledger.note(
                f"the reference applies {names} as the candidate does, and is no witness of it: "
                "differences of the forward decide"
            )
            run = replace(run, true=None)
        if run.true is None or not trust_reference:
            numeric = judge_by_differences(run)
            self._conclude("gradient by differences", run, numeric, judge_by_differences)
            return
        by_reference = self._judge_by_reference(run)
        if not by_reference.told and not self.promise.surrogate:
            self._conclude("gradient by reference", run, by_reference, None)
            numeric = judge_by_differences(run)
            self._conclude("gradient by differences", run, numeric, judge_by_differences)
            return
        self._conclude("gradient by reference", run, by_reference, self._judge_by_reference)
        if self.promise.surrogate:
            why = "the gradient is the surrogate's, and not that of the forward"
            self.ledger.skip("gradient by differences", why)
        elif self.promise.tolerance:
            why = "within tolerance= the reference's gradient is not the candidate's"
            self.ledger.skip("gradient by differences", why)
        elif self.thorough and not by_reference.faults and not by_reference.blameless:
            numeric = judge_by_differences(run, reference_agrees=True)
            self._conclude("gradient by differences", run, numeric, None)

    def _judge_by_reference(self, run: Run) -> OracleResult:
        assert run.true is not None
        return judge_by_reference(run, run.true, given=self.thorough)

    def _conclude(self, name: str, run: Run, result: OracleResult, decisive: Judge | None) -> None:
        """`decisive` is the oracle where it has the last word: what it leaves open stays open."""
        for note in result.notes:
            self.ledger.note(note)
        if result.told:
            found = self._accuse(run, result.faults, decisive) if decisive and result.faults else []
            self.ledger.enter(name, found + result.blameless, result.worst)
        elif decisive:
            self.ledger.undecided(name, f"{run.case.label}: {result.why}")
        else:
            self.ledger.skip(name, f"{run.case.label}: {result.why}")

    def _accuse(self, run: Run, faults: list[Fault], judge: Judge) -> list[Finding]:
        """The findings; of a large case at small sizes if it is wrong there: they tell more."""
        if not self.diagnose:
            self.ledger.wrong |= {fault.name for fault in faults}
            return accuse(run, faults, diagnose=False)
        small = self._smaller(run, LARGE)
        there = judge(small).faults if small is not run else []
        for fault in faults if there else ():
            got, true = told_apart(fault.got_value, fault.true_value)
            where = f"{fault.name}{list(fault.element)}, {run.case.label}"
            self.ledger.note(f"{where}: got {got}, should be {true}")
        found = accuse(small, there) if there else accuse(run, faults)
        if any(finding.cause not in self.promise.expect for finding in found):
            self.ledger.wrong |= {fault.name for fault in (*faults, *there)}
        return found

    def _probe(self, run: Run, probes: dict[str, Probe]) -> None:
        for name, probe in probes.items():
            self._tick(name)
            if name.startswith("layout") and not self.promise.varies(LAYOUTS):
                self.ledger.skip(name, "by vary=")
                continue
            if self.ledger.is_ended(name, ENDED_BY.get(name, UNREPEATABLE)):
                continue
            judged = self._without_wrong(name, run) if name in NEED_RIGHT_GRADIENT else run
            if judged is None:
                continue
            outcome = tried(probe, judged)
            if outcome.findings and run.reference is not None:
                outcome = self._excused(name, probe, judged, outcome)
            if outcome.skipped:
                self.ledger.skip(name, outcome.skipped)
            else:
                self.ledger.enter(name, outcome.findings, outcome.worst)

    def _without_wrong(self, name: str, run: Run) -> Run | None:
        """The run of the arguments whose gradient is right as given, if there are any."""
        if self.ledger.wrong:
            self.ledger.without_wrong.append(name)
        return run.without(self.ledger.wrong)

    def _excused(self, name: str, probe: Probe, run: Run, outcome: Outcome) -> Outcome:
        """What the reference does too, the candidate is not blamed for; but it is noted."""
        assert run.reference is not None
        try:
            other = run_both(run.reference, None, run.case, run.seed)
        except RefusedError:
            return outcome
        shared = {finding.cause for finding in tried(probe, other).findings}
        for finding in outcome.findings:
            if finding.cause in shared:
                both = f"candidate and reference alike are {finding.cause}"
                self.ledger.note(f"{name}: {both}: {finding.evidence}")
        kept = [finding for finding in outcome.findings if finding.cause not in shared]
        return replace(outcome, findings=kept, worst=outcome.worst if kept else None)

    def _vary(self, given: Run) -> None:
        name = generated_inputs.NAME
        if not self.promise.varies_inputs:
            self.ledger.skip(name, "by vary=")
        elif (
            self.ledger.is_ended(name, generated_inputs.ENDED_BY)
            or (run := self._without_wrong(name, given)) is None
        ):
            return
        elif run.case.elements > LARGE:
            self.ledger.skip(name, f"more than {LARGE:,} elements; give others by samples=")
        elif self.reference is None and self.ledger.is_undecided:
            why = "differences cannot judge them: they do not settle at the inputs given"
            self.ledger.skip(name, why)
        else:
            generated_inputs.GeneratedInputs(
                given,
                self.candidate,
                self.reference,
                self.seed,
                self.promise,
                self.ledger,
                self._tick,
                self.is_witness,
                self.diagnose,
            ).run()

    def _refused(self, refusal: RefusedError, case: Case) -> None:
        if refusal.of_inference_tensor or refusal.subject is self.reference:
            raise refusal.as_input_error(case)
        raised = Finding("raises", None, None, str(refusal), case.label)
        self.ledger.enter(refusal.phase, refused_shapes(refusal.raw, case.label) or [raised])

    def _accuse_detached(self, run: Run) -> None:
        evidence = "no output requires grad although an input does"
        finding = Finding("missing-gradient", None, None, evidence, run.case.label)
        self.ledger.enter("gradient", [finding])
