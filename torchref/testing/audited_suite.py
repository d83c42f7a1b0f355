"""The audit of a test suite: what its tests apply, and one report of what all workers saw."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from torchref.auditor import AuditReport, Row, audit
from torchref.auditor.report.report import RowVerdict, unchecked
from torchref.checker.report.progress import progress_bar
from torchref.testing.forked_rows import ENDED, rows_in_a_fork
from torchref.testing.records import INTERRUPTED

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

    def report(self, is_interrupted: bool, keep: Callable[[AuditReport], None]) -> AuditReport:
        """Check what was applied, unless the run was interrupted; Ctrl-C ends it where it is.

        `keep` is given what is known after each Function.
        """
        rows: list[Row] = []
        try:
            if is_interrupted:
                raise KeyboardInterrupt
            with progress_bar("audit") as tick:
                self._rows((), tick)  # what is said of it is looked at here, and not in a fork
                names = list(self._audit.seen)
                for row in rows_in_a_fork(names, self._rows, self._unchecked, tick):
                    rows.append(row)
                    keep(self._with_unchecked(rows, "not checked: the process ended before"))
            return AuditReport(tuple(rows), tuple(self._audit.notes({}, self._expect)))
        except KeyboardInterrupt:
            return self._with_unchecked(rows, INTERRUPTED)

    def _rows(self, names: Sequence[str], tick: Callable[[str], None]) -> Iterator[Row]:
        return self._audit.rows({}, self._expect, {}, tick, names)

    def _with_unchecked(self, rows: Sequence[Row], why: str) -> AuditReport:
        checked = {row.name for row in rows}
        left = (self._unchecked(name, why) for name in self._audit.seen if name not in checked)
        return AuditReport((*rows, *left))

    def _unchecked(self, name: str, why: str) -> Row:
        each = self._audit.seen[name]
        return unchecked(name, each.definition.file, each.definition.line, each.calls, why)


def fails(audit: AuditReport) -> bool:
    """Whether a run of tests fails by it: one is wrong, or ended the process that checked it."""
    return audit.verdict == "wrong" or any(ENDED in row.note for row in audit.rows)


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
