"""Gradients by hand in PyTorch, and the check that they are right."""

from torchref.auditor import Audit, AuditReport, audit
from torchref.checker import Comparison, Finding, Report, WrongGradientError, compare, crosscheck
from torchref.errors import InputError
from torchref.explainer import Explanation, explain

__all__ = [
    "Audit",
    "AuditReport",
    "Comparison",
    "Explanation",
    "Finding",
    "InputError",
    "Report",
    "WrongGradientError",
    "audit",
    "compare",
    "crosscheck",
    "explain",
]
__version__ = "0.1.0"
