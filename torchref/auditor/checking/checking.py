"""The cross-check of what was seen: each kept call as it was, and then with variations."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch.utils import _pytree as pytree

from torchref.auditor.checking.doubts import doubts, is_approximate, is_of_its_cotangents
from torchref.auditor.checking.intention import intended
from torchref.auditor.checking.replay import Replay
from torchref.auditor.checking.structure import structures_of, told
from torchref.auditor.recording.definition import names_of
from torchref.auditor.recording.kept_call import KeptCall
from torchref.auditor.recording.random_state import RandomState
from torchref.auditor.recording.recorder import Seen
from torchref.auditor.report.report import Row, RowVerdict
from torchref.auditor.unseen import note_on_classes, why_not_kept
from torchref.checker.crosscheck import crosscheck
from torchref.checker.execution.arithmetic import DOUBLE, precision
from torchref.checker.execution.case import build_case
from torchref.checker.execution.numbers import dtype_name
from torchref.checker.execution.subject import as_subject
from torchref.checker.inputs.preparation import in_its_precision
from torchref.checker.report.findings import Finding, Verdict
from torchref.checker.report.report import Report
from torchref.errors import InputError, came_out

OF_ITS_COTANGENTS = (
    "right with the grad_output that the program sent, and wrong with others: it may be made for "
    "such as that, as of a basis of which the span alone matters"
)
Tick = Callable[[str], None]
DIGITS = {"precision-loss"}
ROUGHLY = 1e-6  # relative: what solvers and series are exact to, and float32
APPROXIMATE = (
    f"right to {ROUGHLY:g}, and what differs is smooth, as the error of a solver or a series is: "
    "tolerance= says how exact it should be"
)


def named(seen: Iterable[Seen]) -> dict[str, Seen]:
    """The Functions that are not torch's own, by the shortest names that tell them apart."""
    own = [each for each in seen if not each.definition.is_of_torch]
    return dict(zip(names_of([each.definition for each in own]), own, strict=True))


def checked(
    seen: Mapping[str, Seen],
    references: Mapping[str, Any],
    expect: Mapping[str, str],
    options: Mapping[str, Any],
    tick: Tick,
) -> Iterator[Row]:
    """A row for each Function, as soon as it is checked."""
    for name, each in seen.items():
        before = RandomState.read(call_devices(each.kept))
        try:
            row = _row(name, each, references.get(name), expect.get(name), options, tick)
        finally:
            before.set()
        yield row


def call_devices(calls: Sequence[KeptCall]) -> set[Any]:
    """Where the tensors of some calls are."""
    return set().union(*(call.random.of_cuda for call in calls))


def _row(
    name: str,
    seen: Seen,
    reference: Any,
    reason: str | None,
    options: Mapping[str, Any],
    tick: Tick,
) -> Row:
    reports: list[Report] = []
    failures: dict[str, None] = {}
    settings: dict[Any, Report] = {}
    verdicts: list[Verdict] = []
    for number, call in enumerate(seen.kept, start=1):

        def tell(what: str, number: int = number) -> None:
            tick(f"{name}, call {number}: {what}")

        try:
            outcome = _judged(Replay.of(call), settings, reference, options, tell)
        except InputError as error:
            failures[f"not checked: {error}"] = None
            verdicts.append("cannot tell")
            continue
        except (Exception, SystemExit) as error:  # of one Function, that must not end the others
            failures[f"not checked: {came_out(error)}"] = None
            verdicts.append("cannot tell")
            continue
        reports += outcome.reports
        verdicts.append(outcome.verdict)
        failures |= dict.fromkeys(outcome.notes)
    return _told(name, seen, reports, _worst(verdicts), list(failures), reason)


@dataclass
class _Outcome:
    """What was made of one call."""

    verdict: Verdict
    reports: list[Report]
    notes: list[str] = field(default_factory=list)

    @property
    def findings(self) -> list[Finding]:
        return [finding for report in self.reports for finding in report.findings]


def _judged(
    replay: Replay,
    settings: dict[Any, Report],
    reference: Any,
    options: Mapping[str, Any],
    tick: Tick,
) -> _Outcome:
    """A call as it was and with variations; again with its matrices kept, where it is wrong so.

    `settings` has the checks with variations so far: one is made for each combination of what is
    no tensor.
    """
    sparse = ", ".join(replay.not_judged)
    if not replay.differentiated:
        return _Outcome("cannot tell", [], [f"not checked: {sparse} is sparse"])
    outcome = _in_doubt(replay, settings, reference, options, tick)
    if sparse:
        outcome.notes.append(f"the gradient of {sparse}, which is sparse, was not checked")
        outcome.verdict = "wrong" if outcome.verdict == "wrong" else "cannot tell"
    return outcome


def _in_doubt(
    replay: Replay,
    settings: dict[Any, Report],
    reference: Any,
    options: Mapping[str, Any],
    tick: Tick,
) -> _Outcome:
    """What is wrong, without what the program alone cannot show to be so."""
    outcome = _checked_once(replay, settings, reference, options, tick)
    if reference is not None:
        return outcome
    structures = tuple(structures_of(replay.call))
    if outcome.verdict == "wrong" and structures:
        outcome = _checked_once(replay.keeping(structures), {}, None, options, tick)
        if outcome.verdict != "wrong":
            outcome.notes.append(told(structures, replay.leaf_names))
    if outcome.verdict != "wrong":
        return outcome
    if not options.get("tolerance") and is_approximate(replay, outcome.findings):
        rough = _checked_once(replay, {}, None, {**options, "tolerance": ROUGHLY}, tick)
        if rough.verdict != "wrong":
            notes = [*rough.notes, APPROXIMATE]
            outcome = _Outcome("cannot tell", outcome.reports, notes)
    if outcome.verdict == "wrong" and _is_right_as_sent(replay, outcome, options, tick):
        return _Outcome("cannot tell", outcome.reports, [OF_ITS_COTANGENTS])
    return outcome


def _is_right_as_sent(
    replay: Replay, outcome: _Outcome, options: Mapping[str, Any], tick: Tick
) -> bool:
    """Whether it is wrong for random cotangents, and right for those that the program sent."""
    weighed = replay.weighed
    if weighed is None or not is_of_its_cotangents(replay, outcome.reports):
        return False
    tolerance = options.get("tolerance") or ROUGHLY  # what came was rounded by the program
    double = {**options, "precision": "double", "thorough": False, "tolerance": tolerance}
    return _crosscheck(replay, weighed, None, double, tick).verdict == "right"


def _checked_once(
    replay: Replay,
    settings: dict[Any, Report],
    reference: Any,
    options: Mapping[str, Any],
    tick: Tick,
) -> _Outcome:
    setting, reports = replay.call.setting, []
    if setting not in settings:
        settings[setting] = _crosscheck(replay, replay.candidate, reference, options, tick)
        reports.append(settings[setting])
    native = _as_it_was(replay, reference, options, tick)
    found = {native[0].verdict, *(_verdict(report, replay.call) for report in native[1:])}
    full = _verdict(settings[setting], replay.call)
    outcome = _Outcome("wrong" if "wrong" in found else full, [*reports, *native])
    if outcome.verdict == "wrong" and reference is None:
        found_wrong = [r for r in (settings[setting], *native) if r.verdict == "wrong"]
        outcome.notes = doubts(replay, [f for report in found_wrong for f in report.findings])
        outcome.verdict = "cannot tell" if outcome.notes else "wrong"
    return outcome


def _verdict(full: Report, call: KeptCall) -> Verdict:
    """What counts of a check in float64 for a call in a lower precision, which was right there.

    That it has the digits of the program alone is no fault of it: a constant has them, or a cast.
    """
    is_lower = precision(pytree.tree_leaves((call.args, call.kwargs))) > DOUBLE
    digits_alone = all(finding.cause in DIGITS for finding in full.findings)
    return "right" if full.verdict == "wrong" and is_lower and digits_alone else full.verdict


def _as_it_was(
    replay: Replay, reference: Any, options: Mapping[str, Any], tick: Tick
) -> list[Report]:
    """In the precision of the program, with random cotangents; and with those that arrived.

    The latter in float64 alone: cotangents of all magnitudes drown in the rounding of their sum.
    """
    native = {**options, "precision": "native", "thorough": False}
    reports = [_crosscheck(replay, replay.candidate, reference, native, tick)]
    if reports[0].verdict != "wrong" and (candidate := replay.weighed) and _is_of_double(replay):
        double = {**options, "precision": "double", "thorough": False}
        reports.append(_crosscheck(replay, candidate, None, double, tick))
    return reports


def _is_of_double(replay: Replay) -> bool:
    """Whether it takes float64, and computes in it."""
    subject, call = as_subject(replay.candidate), replay.call
    case = build_case(subject, call.args, call.kwargs, replay.differentiated)
    other: list[str] = []
    in_its_precision(subject, [case], None, other.append)
    return not other


def _crosscheck(
    replay: Replay, candidate: Any, reference: Any, options: Mapping[str, Any], tick: Tick
) -> Report:
    return crosscheck(
        candidate,
        reference,
        replay.call.args,
        kwargs=replay.call.kwargs,
        wrt=replay.differentiated,
        progress=tick,
        **{**replay.promised(reference is not None), **options},
    )


def _notes_on_autocast(seen: Seen) -> dict[str, None]:
    dtypes = (call.autocast for call in seen.kept if call.autocast is not None)
    return dict.fromkeys(
        f"applied under autocast to {dtype_name(dtype)}, checked without" for dtype in dtypes
    )


def _worst(verdicts: Sequence[Verdict]) -> RowVerdict:
    order: tuple[Verdict, ...] = ("wrong", "cannot tell", "right")
    return next((verdict for verdict in order if verdict in verdicts), "cannot tell")


def _told(
    name: str,
    seen: Seen,
    reports: list[Report],
    verdict: RowVerdict,
    failures: list[str],
    reason: str | None,
) -> Row:
    """The row, with the report first that says most."""
    notes = [note_on_classes(seen), *failures, *_notes_on_autocast(seen)]
    if not seen.kept:
        verdict = "cannot tell" if seen.differentiated else "not checked"
        notes.append(why_not_kept(seen))
    reports.sort(key=lambda report: report.verdict != verdict)  # stable
    findings = [finding for report in reports for finding in report.findings]
    first = next((f for f in findings if f.cause not in DIGITS), findings[0] if findings else None)
    cause = first.cause if first is not None and verdict == "wrong" else None
    hazards = dict.fromkeys(hazard.cause for report in reports for hazard in report.hazards)
    if verdict == "wrong" and reason is None:
        notes.append(intended(name, seen.kept, findings))
    if reason is not None:
        if verdict in ("wrong", "cannot tell"):
            notes.append(f"expected: {reason}")
            verdict = "expected"
        elif verdict == "right":
            notes.append(f"it was expected not to match its forward ({reason}), and is right")
    definition = seen.definition
    return Row(
        name,
        definition.file,
        definition.line,
        seen.calls,
        tuple(dict.fromkeys(call.shapes for call in seen.kept)),
        verdict,
        cause,
        tuple(hazards),
        tuple(reports),
        "; ".join(filter(None, notes)),
    )
