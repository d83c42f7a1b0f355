"""The chain rule of a network, factor by factor."""

from torchref.explainer.all_derivatives import Derivatives, explain_all
from torchref.explainer.chain.notation import Notation
from torchref.explainer.explanation import Explanation, explain

__all__ = ["Derivatives", "Explanation", "Notation", "explain", "explain_all"]
