"""Gradients by hand in PyTorch, and the check that they are right."""

from torchref.checker import Finding, Report, WrongGradientError, crosscheck
from torchref.errors import InputError
from torchref.explainer import Explanation, explain

__all__ = [
    "Explanation",
    "Finding",
    "InputError",
    "Report",
    "WrongGradientError",
    "crosscheck",
    "explain",
]
__version__ = "0.1.0"
