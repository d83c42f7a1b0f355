"""What has been tried and found so far, and the report that comes of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import get_args

from torchref.checker.report.dependence import ends, ranked
from torchref.checker.report.findings import BLAMELESS, Check, Finding, Status
from torchref.checker.report.report import Report, is_judged

BEST_FIRST: tuple[Status, ...] = get_args(Status)


@dataclass
class Ledger:
    """Checks by name, each with the worst that it came to over all cases.

    Hazards count as findings where more than the first order was promised; a finding whose cause
    is one of `expect` counts as none. `wrong` are the arguments whose gradient is wrong at the
    inputs given, `without_wrong` the checks of the others alone, and `ended` the checks that mean
    nothing beside a cause that was found.
    """

    order: int = 1
    expect: Mapping[str, str] = field(default_factory=dict)
    expected: list[Finding] = field(default_factory=list)
    hazards: list[Finding] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    checks: dict[str, Check] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    wrong: set[str] = field(default_factory=set)
    without_wrong: list[str] = field(default_factory=list)
    ended: dict[str, list[str]] = field(default_factory=dict)

    @property
    def guilty(self) -> bool:
        """Whether anything was found that the candidate is to blame for."""
        return any(finding.cause not in BLAMELESS for finding in self.findings)

    @property
    def is_judged(self) -> bool:
        """Whether the gradient was compared with anything."""
        return is_judged(self.checks.values())

    @property
    def is_undecided(self) -> bool:
        """Whether a check ended without an answer."""
        return any(check.status == "cannot tell" for check in self.checks.values())

    def is_hazard(self, finding: Finding) -> bool:
        """Whether it leaves what was promised right."""
        return finding.hazard and self.order == 1

    def enter(self, name: str, findings: list[Finding], worst: float | None = None) -> None:
        """A check that was made, and what it found."""
        expected = [finding for finding in findings if finding.cause in self.expect]
        findings = [finding for finding in findings if finding.cause not in self.expect]
        hazards = [finding for finding in findings if self.is_hazard(finding)]
        found = [finding for finding in findings if finding not in hazards]
        self.expected += expected
        self.hazards += hazards
        self.findings += found
        if any(finding.cause not in BLAMELESS for finding in found):
            self._set(name, "failed", worst)
        else:
            clean = worst is not None and not hazards and not expected
            self._set(
                name, "hazard" if hazards else "passed", min(worst or 0, 1) if clean else None
            )

    def is_ended(self, name: str, by: Collection[str]) -> bool:
        """Whether a check means nothing beside what was found, and so is not to be made."""
        end = ends([*self.findings, *self.hazards, *self.expected], by)
        if end is not None:
            self.ended.setdefault(end.cause, []).append(name)
        return end is not None

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
        occurred = {finding.cause for finding in self.expected}
        for cause in self.expect:
            if cause not in occurred:
                self.note(f"{cause} was expected ({self.expect[cause]}) and was not found")
        for cause, names in self.ended.items():
            self.note(f"meaningless beside {cause}, and not tried: {', '.join(names)}")
        if self.without_wrong:
            which = f"{', '.join(sorted(self.wrong))}, whose gradient is wrong as given"
            self.note(f"left out of {', '.join(self.without_wrong)}: {which}")
        return Report(
            candidate,
            reference,
            seed,
            ranked(self.findings),
            tuple(self.checks.values()),
            tuple(self.notes),
            ranked(self.hazards),
            tuple((finding, self.expect[finding.cause]) for finding in ranked(self.expected)),
        )

    def _set(self, name: str, status: Status, worst: float | None, note: str = "") -> None:
        before = self.checks.get(name, Check(name, "skipped"))
        status = max(status, before.status, key=BEST_FIRST.index)
        errors = [error for error in (before.worst, worst) if error is not None]
        self.checks[name] = Check(name, status, max(errors, default=None), note or before.note)
