"""What an audit says, and how it is told."""

from torchref.auditor.report.report import AuditReport, Row

__all__ = ["AuditReport", "Row"]
