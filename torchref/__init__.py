"""Gradients by hand in PyTorch, and the check that they are right."""

from torchref.checker import Comparison, Finding, Report, WrongGradientError, compare, crosscheck
from torchref.errors import InputError

__all__ = [
    "Comparison",
    "Finding",
    "InputError",
    "Report",
    "WrongGradientError",
    "compare",
    "crosscheck",
]
__version__ = "0.1.0"
