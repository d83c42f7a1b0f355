"""The chain rule of a network, factor by factor."""

from torchref.explainer.explanation import Explanation, explain
from torchref.explainer.notation import Notation

__all__ = ["Explanation", "Notation", "explain"]
