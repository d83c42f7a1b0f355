"""Gradients by hand in PyTorch, and the check that they are right."""

from torchref.checker import Finding, Report, WrongGradientError, crosscheck
from torchref.errors import InputError

__all__ = ["Finding", "InputError", "Report", "WrongGradientError", "crosscheck"]
__version__ = "0.1.0"
