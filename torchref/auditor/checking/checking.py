"""The cross-check of what was seen: each kept call as it was, and then with variations."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from torch.utils import _pytree as pytree

from torchref.auditor.checking.intention import intended
from torchref.auditor.checking.replay import candidate_of, differentiated, promised, weighed
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
from torchref.checker.report.findings import Verdict
from torchref.checker.report.report import Report
from torchref.errors import InputError

Tick = Callable[[str], None]
DIGITS = {"precision-loss"}


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
            if call.setting not in settings:
                full = _crosscheck(call, candidate_of(call), reference, options, tell)
                settings[call.setting] = full
                reports.append(full)
            native = _as_it_was(call, reference, options, tell)
        except InputError as error:
            failures[f"not checked: {error}"] = None
            verdicts.append("cannot tell")
            continue
        except (Exception, SystemExit) as error:  # of one Function, that must not end the others
            failures[f"not checked: {type(error).__name__} came out of it: {error}"] = None
            verdicts.append("cannot tell")
            continue
        reports += native
        found = {native[0].verdict, *(_verdict(report, call) for report in native[1:])}
        verdicts.append("wrong" if "wrong" in found else _verdict(settings[call.setting], call))
    return _told(name, seen, reports, _worst(verdicts), list(failures), reason)


def _verdict(full: Report, call: KeptCall) -> Verdict:
    """What counts of a check in float64 for a call in a lower precision, which was right there.

    That it has the digits of the program alone is no fault of it: a constant has them, or a cast.
    """
    is_lower = precision(pytree.tree_leaves((call.args, call.kwargs))) > DOUBLE
    digits_alone = all(finding.cause in DIGITS for finding in full.findings)
    return "right" if full.verdict == "wrong" and is_lower and digits_alone else full.verdict


def _as_it_was(
    call: KeptCall, reference: Any, options: Mapping[str, Any], tick: Tick
) -> list[Report]:
    """In the precision of the program, with random cotangents; and with those that arrived.

    The latter in float64 alone: cotangents of all magnitudes drown in the rounding of their sum.
    """
    native = {**options, "precision": "native", "thorough": False}
    reports = [_crosscheck(call, candidate_of(call), reference, native, tick)]
    if reports[0].verdict != "wrong" and (candidate := weighed(call)) and _is_of_double(call):
        double = {**options, "precision": "double", "thorough": False}
        reports.append(_crosscheck(call, candidate, None, double, tick))
    return reports


def _is_of_double(call: KeptCall) -> bool:
    """Whether it takes float64, and computes in it."""
    subject = as_subject(candidate_of(call))
    case = build_case(subject, call.args, call.kwargs, differentiated(call))
    other: list[str] = []
    in_its_precision(subject, [case], None, other.append)
    return not other


def _crosscheck(
    call: KeptCall, candidate: Any, reference: Any, options: Mapping[str, Any], tick: Tick
) -> Report:
    return crosscheck(
        candidate,
        reference,
        call.args,
        kwargs=call.kwargs,
        wrt=differentiated(call),
        progress=tick,
        **{**promised(call, reference is not None), **options},
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
    cause = findings[0].cause if findings and verdict == "wrong" else None
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
