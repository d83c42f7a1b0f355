"""Runs and cross-checks of a candidate at some inputs, and what is read off a report."""

from typing import Any

import torch
from torch import Tensor

from tests.random_inputs import seeded
from torchref import Comparison, Report, crosscheck
from torchref.checker.execution.case import Case, build_case
from torchref.checker.execution.run import Run, run_both
from torchref.checker.execution.subject import as_subject


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def case_of(candidate: Any, *inputs: Any, wrt: tuple[str, ...] | None = None) -> Case:
    return build_case(as_subject(candidate), inputs, None, wrt)


def run_of(
    candidate: Any,
    reference: Any,
    *inputs: Any,
    wrt: tuple[str, ...] | None = None,
    seed: int = 0,
) -> Run:
    """The inputs by position; all floating-point ones are differentiated unless wrt says less."""
    other = None if reference is None else as_subject(reference)
    return run_both(as_subject(candidate), other, case_of(candidate, *inputs, wrt=wrt), seed)


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
