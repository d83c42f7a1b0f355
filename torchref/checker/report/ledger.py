"""What has been tried and found so far, and the report that comes of it."""

from dataclasses import dataclass, field, replace

from torchref.checker.report.findings import BLAMELESS, Check, Finding, Status
from torchref.checker.report.order_of_findings import ranked
from torchref.checker.report.report import Report

ORDER: tuple[Status, ...] = ("skipped", "passed", "cannot tell", "failed")


@dataclass
class Ledger:
    """Checks by name, each with the worst that it came to over all cases."""

    findings: list[Finding] = field(default_factory=list)
    checks: dict[str, Check] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)

    @property
    def guilty(self) -> bool:
        """Whether anything was found that the candidate is to blame for."""
        return any(finding.cause not in BLAMELESS for finding in self.findings)

    @property
    def is_undecided(self) -> bool:
        """Whether a check ended without an answer."""
        return any(check.status == "cannot tell" for check in self.checks.values())

    def enter(self, name: str, findings: list[Finding], worst: float | None = None) -> None:
        self.findings += findings
        guilty = any(finding.cause not in BLAMELESS for finding in findings)
        self._set(name, "failed" if guilty else "passed", worst)

    def skip(self, name: str, why: str) -> None:
        self._set(name, "skipped", None, why)

    def undecided(self, name: str, why: str) -> None:
        self._set(name, "cannot tell", None, why)

    def note(self, note: str) -> None:
        self.notes[note] = None

    def note_on(self, name: str, note: str) -> None:
        """A remark on a check that was made."""
        self.checks[name] = replace(self.checks.get(name, Check(name, "skipped")), note=note)

    def report(self, candidate: str, reference: str | None, seed: int) -> Report:
        return Report(
            candidate,
            reference,
            seed,
            ranked(self.findings),
            tuple(self.checks.values()),
            tuple(self.notes),
        )

    def _set(self, name: str, status: Status, worst: float | None, note: str = "") -> None:
        before = self.checks.get(name, Check(name, "skipped"))
        status = max(status, before.status, key=ORDER.index)
        errors = [error for error in (before.worst, worst) if error is not None]
        self.checks[name] = Check(name, status, max(errors, default=None), note or before.note)
