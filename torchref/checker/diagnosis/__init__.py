"""Naming the cause: a wrong gradient and the true one, held to the ways gradients go wrong."""

from torchref.checker.diagnosis.ranking import described, recognised, suspicions
from torchref.checker.diagnosis.suspicion import Suspicion, Wrong

__all__ = ["Suspicion", "Wrong", "described", "recognised", "suspicions"]
