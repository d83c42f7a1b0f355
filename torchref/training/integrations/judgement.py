"""The verdict on what a batch has applied, under mixed precision too."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from torchref.auditor import Audit, AuditReport, Row
from torchref.auditor.recording.recorder import Seen

OF_FLOAT64 = {"raises", "wrong-dtype"}  # of a Function that is made for 16 bits alone
NOTE = "applied in 16 bits, in which differences are too coarse: checked in float64"


def judged(
    recorded: Audit,
    references: Mapping[str, Any],
    expect: Mapping[str, str],
    options: Mapping[str, Any],
) -> AuditReport:
    """The report of an audit; what 16 bits cannot tell is asked in float64, where it takes that."""
    report = recorded.report(references=references, expect=expect, **options)
    coarse = [
        row.name
        for row in report.rows
        if row.verdict == "cannot tell" and in_16_bits(recorded.seen[row.name])
    ]
    if not coarse or options.get("precision"):
        return report
    doubled = {**options, "precision": "double"}
    again = recorded.rows(references, expect, doubled, lambda _: None, coarse)
    fine = {row.name: row for row in again if decides(row)}
    rows = tuple(noted(fine[row.name]) if row.name in fine else row for row in report.rows)
    return replace(report, rows=rows)


def in_16_bits(seen: Seen) -> bool:
    """Whether a call that was kept has such a tensor."""
    tensors = (x for call in seen.kept for x in call.leaves if isinstance(x, Tensor))
    return any(x.is_floating_point() and x.element_size() == 2 for x in tensors)


def decides(row: Row) -> bool:
    """Not where float64 itself is what the Function does not take."""
    return row.verdict != "cannot tell" and not OF_FLOAT64 & {*causes(row), *row.hazards}


def causes(row: Row) -> Iterator[str]:
    return (finding.cause for report in row.reports for finding in report.findings)


def noted(row: Row) -> Row:
    return replace(row, note="; ".join(filter(None, (NOTE, row.note))))
