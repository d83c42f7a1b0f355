"""Sigmoid, softplus, tanh and relu, each entry by itself."""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from torchref.catalogue.entry import Entry, Inputs, normal
from torchref.ops import ReLU, Sigmoid, Softplus, Tanh


def _elementwise_samples(g: Generator) -> tuple[Inputs, ...]:
    return ((normal(g, 5, 3),), (normal(g, 7),), (normal(g),), (normal(g, 2, 3, 4),))


def _elementwise_tripping(g: Generator) -> tuple[Inputs, ...]:
    extremes = torch.tensor([0.0, 1e-300, -1e-300, 40.0, -40.0, 1e4, -1e4], dtype=torch.float64)
    return ((extremes,), (normal(g, 0, 3),), (normal(g, 3, 5).T,), (normal(g, 1).expand(4),))


def softplus_twin(x: Tensor) -> Tensor:
    """torch's own softplus is the identity above its threshold."""
    return torch.logaddexp(x, torch.zeros_like(x))


ENTRIES = (
    Entry(Sigmoid, torch.sigmoid, _elementwise_samples, _elementwise_tripping),
    Entry(Softplus, softplus_twin, _elementwise_samples, _elementwise_tripping),
    Entry(Tanh, torch.tanh, _elementwise_samples, _elementwise_tripping),
    Entry(ReLU, F.relu, _elementwise_samples, _elementwise_tripping),
)
