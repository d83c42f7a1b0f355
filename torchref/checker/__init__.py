"""Is this gradient right? Where is it wrong? Why?"""

from torchref.checker.comparison.compare import compare
from torchref.checker.comparison.result import ComparedGradient, Comparison
from torchref.checker.crosscheck import crosscheck
from torchref.checker.report.findings import Check, Finding
from torchref.checker.report.report import Report, WrongGradientError

__all__ = [
    "Check",
    "ComparedGradient",
    "Comparison",
    "Finding",
    "Report",
    "WrongGradientError",
    "compare",
    "crosscheck",
]
