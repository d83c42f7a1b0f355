"""Gradients by hand in PyTorch, and the check that they are right."""

__version__ = "0.1.0"
