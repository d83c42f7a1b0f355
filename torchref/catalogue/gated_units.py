"""Gated units, along every dimension."""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from torchref.catalogue.entry import Entry, Inputs, normal
from torchref.ops import GEGLU, GLU, SwiGLU


def _gated_samples(g: Generator) -> tuple[Inputs, ...]:
    return ((normal(g, 5, 6), -1), (normal(g, 4, 3), 0), (normal(g, 8), 0), (normal(g, 2, 6, 5), 1))


def _gated_tripping(g: Generator) -> tuple[Inputs, ...]:
    gates = torch.tensor([0.0, -0.0, 40.0, -40.0, 1e4, -1e4], dtype=torch.float64)
    return (
        (torch.stack((normal(g, 6), gates)), 0),
        (torch.stack((gates, normal(g, 6))), 0),
        (normal(g, 0, 4), -1),
        (normal(g, 3, 0), -1),
        (normal(g, 4, 5).T, -1),
        (normal(g, 1).expand(4), -1),
    )


def swiglu_twin(x: Tensor, dim: int) -> Tensor:
    value, gate = x.chunk(2, dim)
    return value * F.silu(gate)


def geglu_twin(x: Tensor, dim: int) -> Tensor:
    value, gate = x.chunk(2, dim)
    return value * F.gelu(gate)


ENTRIES = (
    Entry(GLU, F.glu, _gated_samples, _gated_tripping),
    Entry(SwiGLU, swiglu_twin, _gated_samples, _gated_tripping),
    Entry(GEGLU, geglu_twin, _gated_samples, _gated_tripping),
)
