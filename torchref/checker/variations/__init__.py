"""Inputs beat oracles: from the inputs given, others that trip real code."""

from torchref.checker.variations.shapes import shrunk
from torchref.checker.variations.walk import variations

__all__ = ["shrunk", "variations"]
