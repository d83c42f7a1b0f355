"""Gradients to compare, and what to read off a comparison."""

import torch
from torch import Tensor

from torchref import Comparison

Gradients = dict[str, Tensor]


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def network(seed: int = 0) -> Gradients:
    """Gradients of a network of three layers; no two sizes are the same."""
    shapes = {"W1": (7, 5), "b1": (5,), "W2": (5, 3), "b2": (3,), "W3": (3, 11), "b3": (11,)}
    return {name: normal(*shape, seed=seed + i) for i, (name, shape) in enumerate(shapes.items())}


def causes(comparison: Comparison) -> list[str]:
    return [finding.cause for finding in comparison.findings]


def verdicts(comparison: Comparison) -> dict[str, str]:
    return {row.name: row.verdict for row in comparison.rows}
