"""The variations of a case, tried one after the other on candidate and reference."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from torch import Tensor

from torchref.checker.diagnosis.diagnose import accuse
from torchref.checker.diagnosis.meant import may_be_meant
from torchref.checker.execution.arithmetic import are_finite, is_differentiable, typical_size
from torchref.checker.execution.case import Case
from torchref.checker.execution.cuda import (
    checks_bounds,
    ends_the_context,
    integers_in,
    is_admitted,
)
from torchref.checker.execution.raw_returns import custom_functions
from torchref.checker.execution.run import NotFiniteError, RefusedError, Run, forward, run_both
from torchref.checker.execution.subject import Subject
from torchref.checker.execution.tape import nodes_behind
from torchref.checker.inputs import ASKS_A_REFERENCE, variations
from torchref.checker.inputs.domain import is_defined, is_same_function, sizes_of
from torchref.checker.inputs.well_posed import is_refused_by_rounding, is_well_posed
from torchref.checker.oracles.differences import NOT_FINITE, judge_by_differences
from torchref.checker.oracles.forward import compare_forwards
from torchref.checker.oracles.reference import judge_by_reference
from torchref.checker.oracles.rounding import is_rounding_apart
from torchref.checker.probes.contract import breaches
from torchref.checker.promise import Promise
from torchref.checker.report.dependence import UNREPEATABLE
from torchref.checker.report.findings import Finding
from torchref.checker.report.ledger import Ledger
from torchref.checker.report.oracle_result import Fault, OracleResult
from torchref.errors import InputError

NAME = "variations of the inputs"
ENDED_BY = UNREPEATABLE | {"forward-wrong"}
AS_LARGE = 4.0  # times larger or smaller, what is approximate is as good as it was
SATURATING = (
    "Softmax",
    "sumexp",
    "DotProduct",
    "Exp",
    "Sigmoid",
    "Tanh",
)  # nodes that have a limit
ENOUGH = 3  # found wrong, after which no more are tried


@dataclass
class GeneratedInputs:
    """Variations of the case of a run count where the reference accepts them and is finite."""

    given: Run
    candidate: Subject
    reference: Subject | None
    seed: int
    promise: Promise
    ledger: Ledger
    tick: Callable[[str], None]
    is_witness: bool = True
    diagnose: bool = True
    tried: int = 0
    refused: int = 0
    guilty: int = 0
    lax: list[str] = field(default_factory=list)
    halfway: list[str] = field(default_factory=list)
    conventions: list[str] = field(default_factory=list)
    not_finite: list[str] = field(default_factory=list)
    ill_posed: list[str] = field(default_factory=list)
    unsafe: int = 0
    outside: int = 0

    def run(self) -> None:
        given = self.given.case
        for kind, case in variations(given, self.seed):
            if self.reference is None and kind in ASKS_A_REFERENCE:
                continue
            if not self.promise.varies(kind):
                continue
            if self._is_at_infinity(case) and not self._saturates:
                continue
            if not case.elements:
                continue  # nothing to differentiate, and some kernels crash on it
            self.tick(case.label)
            if not self._is_in_domain(case) or not self._is_admitted(kind, case):
                continue
            try:
                run = run_both(self.candidate, self.reference, case, self.seed, only_finite=True)
            except NotFiniteError:
                continue
            except (RefusedError, InputError) as refusal:
                if ends_the_context(refusal):
                    raise
                self._refused(refusal, kind, case)
                continue
            if run.cotangents and run.makes_sense and is_same_function(run, kind, given):
                self.tried += 1
                self.guilty += self._judge(run, kind)
            if self.guilty >= ENOUGH:
                break
        note = f"{self.tried} tried, {self.refused} refused by candidate or reference"
        if self.outside:
            note += f", {self.outside} outside the domain"
        self.ledger.note_on(NAME, note)
        if self.guilty and not self.ledger.expected:
            made = "at the inputs given it is right; those at which it is wrong were made from them"
            accepted = "" if not self.reference else f", and {self.reference.title} accepts them"
            self.ledger.note(f"{made}{accepted}; domain= and vary= say which may be tried")
        if self.ill_posed:
            count = len(self.ill_posed)
            which = self.ill_posed[0] if count == 1 else f"{count}, the first {self.ill_posed[0]}"
            decides = "there one rounding of the inputs decides what the answer is, or whether"
            self.ledger.note(f"variations that are no evidence: {which}; {decides} there is one")
        if self.unsafe:
            why = "a kernel checks no bounds, and nothing says whether it may be called on them"
            self.ledger.note(f"variations of sizes and indices left out: {self.unsafe}; {why}")
        if self.lax:
            first = f"{len(self.lax)} inputs that the reference refuses, the first {self.lax[0]}"
            self.ledger.note(f"the candidate accepts {first}")
        if self.conventions:
            more = len(self.conventions) - 1
            likewise = f" (likewise {more} more of the variations)" if more else ""
            self.ledger.note(self.conventions[0] + likewise)
        if self.not_finite:
            more = len(self.not_finite) - 1
            others = f", as for {more} more of the variations" if more else ""
            at = f"{self.not_finite[0]}: the gradient is not finite where the forward is{others}"
            self.ledger.note(f"{at}; give a reference to learn whether it should be")
        if self.halfway:
            first = f"{len(self.halfway)} of the variations, the first {self.halfway[0]}"
            self.ledger.note(f"the forward accepts and the backward refuses {first}")

    @cached_property
    def _outputs_as_given(self) -> tuple[Tensor, ...]:
        return forward(self.reference or self.candidate, self.given.case).outputs

    def _is_at_infinity(self, case: Case) -> bool:
        return case.infinities > self.given.case.infinities

    @cached_property
    def _checks_bounds(self) -> bool:
        return checks_bounds(custom_functions(self.given.tape.outputs))

    def _needs_size_lost(self, case: Case) -> bool:
        """Whether the candidate writes down a size of the inputs given that they have no more."""
        lost = sizes_of(self.given.case.leaves) - sizes_of(case.leaves)
        return not lost.isdisjoint(integers_in(self.candidate.source))

    @cached_property
    def _saturates(self) -> bool:
        """Whether something in it has a limit at infinity: others may index with what arrives."""
        names = {node.name() for node in nodes_behind(self._outputs_as_given)}
        return any(limit in name for name in names for limit in SATURATING)

    def _growth(self, case: Case) -> list[float]:
        """How many times as large as given each input is."""
        pairs = zip(self.given.case.leaves, case.leaves, strict=True)
        floating = [(a, b) for a, b in pairs if is_differentiable(a) and is_differentiable(b)]
        sizes = [(typical_size(a), typical_size(b)) for a, b in floating]
        return [after / before for before, after in sizes if before]

    def _sizes_before_they_cancel(self, case: Case) -> dict[str, float]:
        """Where an input is larger than as given, each gradient as given, as much larger."""
        larger = max(self._growth(case), default=1.0)
        if larger <= 1:
            return {}
        true = zip(self.given.case.argument_names, self.given.true or (), strict=False)
        return {name: typical_size(g) * larger for name, g in true if g is not None}

    @property
    def _reference_is_wrong(self) -> bool:
        return any(finding.cause == "reference-wrong" for finding in self.ledger.findings)

    def _is_in_domain(self, case: Case) -> bool:
        inside = self.promise.admits(case)
        if self.promise.tolerance:  # the error of a solver is absolute, and was stated for these
            inside &= all(1 / AS_LARGE <= growth <= AS_LARGE for growth in self._growth(case))
            inside &= not self._is_at_infinity(case)
        self.outside += not inside
        return inside

    def _is_admitted(self, kind: str, case: Case) -> bool:
        """Whether it may be tried where the case is; else it is counted as refused, or unsafe."""
        try:
            admitted = is_admitted(self.reference, kind, case, self._checks_bounds)
            admitted &= self._checks_bounds or not self._needs_size_lost(case)
        except Exception:  # on CPU copies the reference refuses it
            self.refused += 1
            return False
        self.unsafe += not admitted
        return admitted

    def _refused(self, refusal: Exception, kind: str, case: Case) -> None:
        """Sizes, ranks, ignored indices and absent tensors may be more than was promised.

        With other values of the same shape a backward should not raise after its forward did
        not, where all is finite, and a candidate should refuse what the reference refuses. Of what
        may be more than was promised, a backward that raises after its forward did not is noted.
        """
        self.refused += 1
        if not isinstance(refusal, RefusedError):
            return
        if refusal.subject is self.candidate and refusal.phase == "backward":
            if kind != "values":
                self.halfway.append(f"{case.label}: {refusal}")
                return
            if not is_defined(self.reference, self.candidate, case, self.seed):
                return
            if is_refused_by_rounding(self.candidate, case, refusal, self.seed):
                self.ill_posed.append(case.label)
                return
            finding = Finding("raises", None, None, str(refusal), case.label)
            self.ledger.enter(NAME, [finding])
            self.guilty += 1
        elif kind == "values" and (refusal.subject, refusal.phase) == (self.reference, "forward"):
            try:
                forward(self.candidate, case)
            except (RefusedError, InputError):
                return
            self.lax.append(case.label)

    def _judge(self, run: Run, kind: str) -> bool:
        """Whether the candidate is found wrong."""
        # A size that broadcasts may be more than was promised: autograd's sum is right.
        broken = breaches(run)
        broken = [finding for finding in broken if finding.argument not in self.ledger.wrong]
        known = {"missing-reduction", *(each.cause for each in breaches(self.given))}
        found = [finding for finding in broken if finding.cause not in known]
        forwards = compare_forwards(run, promised=False)
        forward_found = forwards.findings
        at_infinity = self._is_at_infinity(run.case)
        self.conventions += forwards.notes
        judged = None if forward_found else run.without(self.ledger.wrong)
        is_witness = self.promise.surrogate or (self.is_witness and forwards.is_witness)
        result = OracleResult() if judged is None else self._judged(judged, kind, is_witness)
        doubted = forward_found or result.faults or result.blameless
        if doubted and not is_well_posed(run, self._outputs_as_given):
            self.ill_posed.append(run.case.label)
            forward_found, result = [], OracleResult()
        if at_infinity:  # what is no number has no slope: only another that is none is wrong
            result.faults = [
                fault
                for fault in result.faults
                if fault.got is not None and not are_finite([fault.got])
            ]
        if forward_found:
            # Of another rank the reference may be another function: a softmax over dim=1.
            if kind == "ranks" or at_infinity:
                self.ledger.note(f"{run.case.label}: the forwards differ, so it is left out")
                return False
            self.ledger.enter(NAME, forward_found, forwards.worst)
            return True
        self.conventions += result.notes
        if result.why == NOT_FINITE:
            self.not_finite.append(run.case.label)
        if judged is not None and result.told and result.faults:
            found += accuse(judged, result.faults, self.diagnose)
        self.ledger.enter(NAME, found + result.blameless, result.worst)
        return not all(map(self.ledger.is_hazard, found))

    def _judged(self, run: Run, kind: str, is_witness: bool) -> OracleResult:
        if run.true is None or run.shared or not is_witness:
            result = judge_by_differences(replace(run, true=None), promised=False)
            return self._without_meant(run, kind, result)
        sizes = partial(self._sizes_before_they_cancel, run.case)
        result = judge_by_reference(run, run.true, given=False, sizes=sizes)
        result.faults = [fault for fault in result.faults if not self._is_rounding(run, fault)]
        if not result.faults:
            result.worst = min(result.worst, 1.0)
        elif self._reference_is_wrong and not self.promise.surrogate:
            return judge_by_differences(run, promised=False)
        return result

    def _without_meant(self, run: Run, kind: str, result: OracleResult) -> OracleResult:
        """Without a witness, what may be meant at a variation is noted alone."""
        why = [may_be_meant(self.given, run, kind, fault) for fault in result.faults]
        if any(why):
            result.faults = [f for f, meant in zip(result.faults, why, strict=True) if not meant]
            result.worst = result.worst if result.faults else 1.0
            self.conventions += filter(None, why)
        return result

    def _is_rounding(self, run: Run, fault: Fault) -> bool:
        assert fault.true is not None
        rounding = is_rounding_apart(run, fault.place, run.claimed[fault.place], fault.true)
        if rounding:
            self.conventions.append(f"{fault.name}, {run.case.label}: all that differs is rounding")
        return rounding
