"""One run of pytest: what its cross-checks found, through all of its processes, and is told."""

import pickle
from collections.abc import Generator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from torchref.errors import InputError
from torchref.testing.records import INTERRUPTED, Record, ReportFile, line_of, totals_told

if TYPE_CHECKING:
    from torchref.auditor import AuditReport
    from torchref.testing.audited_suite import AuditedSuite

OF_A_TEST = "torchref_records"  # travels with pytest's own report of a test
OF_AN_AUDIT = "torchref_audit"  # travels with what a worker says at its end


class TorchrefSession:
    """Collects records while the tests run; at their end tells them, writes them, and audits.

    Under pytest-xdist each worker sends its records along with the outcome of each test, and its
    audit at its end, and the process that started the workers tells and writes them.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.is_worker = hasattr(config, "workerinput")
        self.records: list[Record] = []
        self.pending: list[Record] = []  # of the test that runs
        self.suite: AuditedSuite | None = None
        self.audits: list[AuditReport] = []
        self.notes: list[str] = []
        self.working: dict[str, str] = {}  # workers by name, and how one ended that sent no audit
        is_listed = config.option.collectonly
        self.is_audited = config.getoption("torchref_audit") and not is_listed
        file = config.getoption("torchref_report")
        self.file: ReportFile | None = None
        try:
            self.expect = dict(map(_expectation, config.getini("torchref_audit_expect")))
            if file is not None and not (self.is_worker or is_listed):
                self.file = ReportFile(Path(file))
        except InputError as error:
            raise pytest.UsageError(str(error)) from None

    def keep(self, test: str, report: dict[str, Any], *, enforced: bool) -> None:
        """The report of a cross-check, and whether the test fails where it is not right."""
        self.pending.append({"test": test, "enforced": enforced, "report": report})

    def audit_paused(self) -> AbstractContextManager[None]:
        """While within, what is applied is not audited."""
        return nullcontext() if self.suite is None else self.suite.paused()

    def pytest_sessionstart(self) -> None:
        if self.is_audited and not self.config.pluginmanager.has_plugin("dsession"):
            from torchref.testing.audited_suite import AuditedSuite

            self.suite = AuditedSuite(self.expect)
            self.config.add_cleanup(self.suite.stop)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self,
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if self.pending:
            setattr(report, OF_A_TEST, self.pending)
            self.pending = []
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        new = getattr(report, OF_A_TEST, [])
        self.records += new
        if new and self.file is not None:
            self.file.keep(self.records, None)

    @pytest.hookimpl(optionalhook=True)  # of pytest-xdist
    def pytest_testnodeready(self, node: Any) -> None:
        self.working[node.gateway.id] = "was interrupted"

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        sent = getattr(node, "workeroutput", {}).get(OF_AN_AUDIT)
        if sent is None:
            self.working[node.gateway.id] = "ended early"
        elif self.working.pop(node.gateway.id, None):  # it may be said twice of an interrupted one
            self.audits.append(pickle.loads(sent))

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        is_interrupted = exitstatus == pytest.ExitCode.INTERRUPTED
        self.records += self.pending  # of a test that was interrupted
        self._audit(is_interrupted)
        if any(row.note == INTERRUPTED for audit in self.audits for row in audit.rows):
            self.notes.append("the run was interrupted: not all that it applied was audited")
            session.exitstatus, is_interrupted = pytest.ExitCode.INTERRUPTED, True
        lost = self.working if self.is_audited else {}
        for worker, how in lost.items():
            self.notes.append(f"{worker} {how}: what it applied was not audited")
        if self.is_worker:
            return
        audit = self._merged()
        if lost or (audit is not None and self._fails(audit)):
            self._fail(session)
        if self.file is not None:
            try:
                self.file.write(self.records, self._as_dict(audit), is_interrupted)
            except InputError as error:
                self.notes.append(str(error))
                self._fail(session)

    def pytest_terminal_summary(
        self,
        terminalreporter: "pytest.TerminalReporter",  # which pytest 8.0 does not export
    ) -> None:
        audit = self._merged()
        if audit is None and not (self.records or self.notes):
            return
        terminalreporter.section("torchref")
        for record in self.records:
            if record["report"]["verdict"] != "right":
                terminalreporter.write_line(line_of(record))
        if self.records:
            terminalreporter.write_line(totals_told(self.records))
        if audit is not None:
            terminalreporter.write_line(str(audit))
        for note in self.notes:
            terminalreporter.write_line(note)

    def _audit(self, is_interrupted: bool) -> None:
        """What this process applied, checked: kept here, or sent."""
        if self.suite is None:
            return
        self.suite.stop()
        audit = self.suite.report(is_interrupted, self._keep)
        if self.is_worker:
            self.config.workeroutput[OF_AN_AUDIT] = pickle.dumps(audit)  # type: ignore[attr-defined]  # of xdist
        else:
            self.audits.append(audit)

    def _keep(self, audit: "AuditReport") -> None:
        if self.file is not None:
            self.file.keep(self.records, self._as_dict(audit))

    def _as_dict(self, audit: "AuditReport | None") -> dict[str, Any] | None:
        if not self.is_audited:
            return None
        told = {"verdict": "cannot tell", "functions": [], "notes": []}
        return {**(told if audit is None else audit.to_dict()), "left_out": self.notes}

    @staticmethod
    def _fails(audit: "AuditReport") -> bool:
        from torchref.testing.audited_suite import fails

        return fails(audit)

    def _merged(self) -> "AuditReport | None":
        if not self.audits:
            return None
        from torchref.testing.audited_suite import merged

        return merged(self.audits)

    @staticmethod
    def _fail(session: pytest.Session) -> None:
        if session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _expectation(line: str) -> tuple[str, str]:
    name, equals, reason = (part.strip() for part in line.partition("="))
    if not (name and equals and reason):
        raise InputError(
            "each line of torchref_audit_expect must be NAME = REASON",
            f"{line!r} arrived",
            "Name a Function as the audit does.",
        )
    return name, reason
