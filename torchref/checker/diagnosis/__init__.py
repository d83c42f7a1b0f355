"""Naming the cause: a wrong gradient and the true one, held to the ways gradients go wrong."""

from torchref.checker.diagnosis.hypothesis import Hypothesis, Mismatch
from torchref.checker.diagnosis.ranking import described, hypotheses, recognised

__all__ = ["Hypothesis", "Mismatch", "described", "hypotheses", "recognised"]
