"""Cross-checks that must come out right or wrong, and what their reports say."""

from typing import Any

from torchref import Comparison, Report, crosscheck


def assert_right(candidate: Any, *args: Any, **options: Any) -> Report:
    """Takes what `crosscheck` takes."""
    report = crosscheck(candidate, *args, **options)
    assert report.verdict == "right", str(report)
    return report


def assert_wrong(candidate: Any, *args: Any, **options: Any) -> Report:
    """Takes what `crosscheck` takes."""
    report = crosscheck(candidate, *args, **options)
    assert report.verdict == "wrong", str(report)
    return report


def causes(told: Report | Comparison) -> list[str]:
    return [finding.cause for finding in told.findings]


def statuses(report: Report) -> dict[str, str]:
    return {check.name: check.status for check in report.checks}
