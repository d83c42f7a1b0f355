"""Is this gradient right? Where is it wrong? Why?"""

from torchref.checker.crosscheck import crosscheck
from torchref.checker.findings import Check, Finding
from torchref.checker.report import Report, WrongGradientError

__all__ = ["Check", "Finding", "Report", "WrongGradientError", "crosscheck"]
