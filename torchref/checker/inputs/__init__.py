"""Inputs beat oracles: from the inputs given, others that trip real code."""

from torchref.checker.inputs.generate import ASKS_A_REFERENCE, variations
from torchref.checker.inputs.sizes import shrunk

__all__ = ["ASKS_A_REFERENCE", "shrunk", "variations"]
