"""The audit of a test suite: what its tests apply, and one report of what all workers saw."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from torchref.auditor import AuditReport, Row, audit
from torchref.auditor.report.report import RowVerdict

OF_NO_FUNCTION = "expect names "  # a note that one worker alone cannot give
OF_THE_COMMAND = ": --reference "  # an option that pytest does not have
WORST_FIRST: tuple[RowVerdict, ...] = ("wrong", "cannot tell", "expected", "right", "not checked")


class AuditedSuite:
    """Notices every Function from here on until it is stopped."""

    def __init__(self, expect: Mapping[str, str]) -> None:
        self._expect = expect
        self._audit = audit()
        self._recording = ExitStack()
        self._recording.enter_context(self._audit)

    def stop(self) -> None:
        self._recording.close()

    @contextmanager
    def paused(self) -> Iterator[None]:
        self.stop()
        try:
            yield
        finally:
            self._recording.enter_context(self._audit)

    def report(self) -> AuditReport:
        return self._audit.report(expect=self._expect, progress=True)


def merged(audits: Sequence[AuditReport]) -> AuditReport:
    """One report of several: a Function that one worker found wrong is wrong.

    The rows of one definition become one. What was seen only without a gradient counts nothing
    beside what was checked elsewhere.
    """
    rows: dict[tuple[str, str | None, int | None], list[Row]] = {}
    for each in audits:
        for row in each.rows:
            rows.setdefault((row.name, row.file, row.line), []).append(row)
    notes = dict.fromkeys(note for each in audits for note in each.notes)
    kept = (
        note.partition(OF_THE_COMMAND)[0]
        for note in notes
        if not note.startswith(OF_NO_FUNCTION) or all(note in each.notes for each in audits)
    )
    return AuditReport(tuple(map(_merged_rows, rows.values())), tuple(kept))


def _merged_rows(rows: Sequence[Row]) -> Row:
    worst, *others = sorted(rows, key=lambda row: WORST_FIRST.index(row.verdict))
    checked = [worst, *(row for row in others if row.verdict != "not checked")]
    return replace(
        worst,
        calls=sum(row.calls for row in rows),
        shapes=tuple(dict.fromkeys(shape for row in rows for shape in row.shapes)),
        hazards=tuple(dict.fromkeys(hazard for row in rows for hazard in row.hazards)),
        reports=tuple(report for row in checked for report in row.reports),
        note="; ".join(dict.fromkeys(row.note for row in checked if row.note)),
    )
