"""Gradients to compare, and what to read off a comparison."""

from torch import Tensor

from tests.checker.given import normal
from torchref import Comparison

Gradients = dict[str, Tensor]


def network(seed: int = 0) -> Gradients:
    """Gradients of a network of three layers; no two sizes are the same."""
    shapes = {"W1": (7, 5), "b1": (5,), "W2": (5, 3), "b2": (3,), "W3": (3, 11), "b3": (11,)}
    return {name: normal(*shape, seed=seed + i) for i, (name, shape) in enumerate(shapes.items())}


def verdicts(comparison: Comparison) -> dict[str, str]:
    return {row.name: row.verdict for row in comparison.rows}
