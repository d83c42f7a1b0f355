"""What a cross-check says: findings, a verdict, and what was tried."""

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from torchref.checker.report.findings import BLAMELESS, Check, Finding, Verdict, finite
from torchref.checker.report.notebook import html
from torchref.checker.report.text import tell


class WrongGradientError(AssertionError):
    """Raised by `Report.raise_if_wrong` and `Comparison.raise_if_different`, with the report."""


class InterruptionError(KeyboardInterrupt):
    """Ctrl-C during `crosscheck`: `report` holds what was learnt by then, and is never "right"."""

    def __init__(self, report: "Report") -> None:
        super().__init__(f"interrupted while {report.candidate} was cross-checked")
        self.report = report


def no_truth_value(what: str, condition: str, statement: str) -> TypeError:
    """For what must not pass by being there: `assert` and `if` would never see a wrong one."""
    return TypeError(
        f"a condition must be true or false, but a {what} arrived, which is neither. "
        f"Write {condition}, or call {statement}, which raises unless that holds."
    )


def is_judged(checks: Iterable[Check]) -> bool:
    """Whether a gradient was compared with anything, and not the forward or the contract alone."""
    return any(check.name.startswith("gradient") and check.status != "skipped" for check in checks)


class Judged:
    """A report with a verdict: a console shows its text, and it raises where it is not right."""

    @property
    @abstractmethod
    def verdict(self) -> Verdict:
        """On all that was judged."""

    def raise_if_wrong(self) -> None:
        """Raise `WrongGradientError` unless the verdict is "right"."""
        __tracebackhide__ = True  # pytest shows the test's own line
        if self.verdict != "right":
            raise WrongGradientError(str(self))

    def __bool__(self) -> NoReturn:
        """A report that is wrong would pass `assert crosscheck(...)`: it has no truth value."""
        raise no_truth_value("report", 'report.verdict == "right"', "report.raise_if_wrong()")

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, repr=False)
class Report(Judged):
    """The outcome of `torchref.crosscheck`.

    `verdict` is "right", "wrong" or "cannot tell"; `findings` say what is wrong, likeliest cause
    first; `checks` say what was tried, what was skipped and why; `notes` what was let pass.
    `hazards` are findings that leave one ordinary backward right, and `expected` those whose
    cause the call declared, each with the reason given. Neither counts for the verdict.
    """

    candidate: str
    reference: str | None
    seed: int
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = field(default=())
    hazards: tuple[Finding, ...] = field(default=())
    expected: tuple[tuple[Finding, str], ...] = field(default=())

    @property
    def verdict(self) -> Verdict:
        if any(finding.cause not in BLAMELESS for finding in self.findings):
            return "wrong"
        undecided = any(check.status == "cannot tell" for check in self.checks)
        return "cannot tell" if undecided or not is_judged(self.checks) else "right"

    @property
    def worst(self) -> float:
        """The worst error found, in units of its tolerance: above 1 it is wrong."""
        return max((check.worst for check in self.checks if check.worst is not None), default=0.0)

    def __str__(self) -> str:
        return tell(self)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return html("checker/report/report.html.jinja", report=self)

    def to_dict(self) -> dict[str, Any]:
        """Everything, in plain types: what `torchref crosscheck --json` writes."""
        return {
            "candidate": self.candidate,
            "reference": self.reference,
            "seed": self.seed,
            "verdict": self.verdict,
            "worst": finite(self.worst),
            "findings": [finding.to_dict() for finding in self.findings],
            "hazards": [hazard.to_dict() for hazard in self.hazards],
            "expected": [found.to_dict() | {"reason": reason} for found, reason in self.expected],
            "checks": [check.to_dict() for check in self.checks],
            "notes": list(self.notes),
        }
