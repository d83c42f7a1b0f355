"""The chain rule of a network, factor by factor."""

from torchref.explainer.chain.notation import Notation
from torchref.explainer.explanation import Explanation, explain

__all__ = ["Explanation", "Notation", "explain"]
