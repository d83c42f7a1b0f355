"""What a program applies: every Function seen, kept, and cross-checked."""

from torchref.auditor.audit import Audit, audit
from torchref.auditor.report.report import AuditReport, Row

__all__ = ["Audit", "AuditReport", "Row", "audit"]
