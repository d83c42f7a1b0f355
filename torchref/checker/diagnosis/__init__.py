"""Naming the cause: a wrong gradient and the true one, held to the ways gradients go wrong."""

from torchref.checker.diagnosis.hypothesis import Suspicion, Wrong
from torchref.checker.diagnosis.ranking import described, recognised, suspicions

__all__ = ["Suspicion", "Wrong", "described", "recognised", "suspicions"]
