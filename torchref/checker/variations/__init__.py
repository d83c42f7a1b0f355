"""Inputs beat oracles: from the inputs given, others that trip real code."""

from torchref.checker.variations.shapes import shrunk
from torchref.checker.variations.walk import ASKS_A_REFERENCE, variations

__all__ = ["ASKS_A_REFERENCE", "shrunk", "variations"]
