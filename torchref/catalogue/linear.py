"""Affine maps, with the bias beside the matrix or folded into it, and products."""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from torchref.catalogue.entry import Entry, Inputs, normal
from torchref.ops import Affine, Bilinear, HomogeneousAffine, MatMul


def _affine_samples(g: Generator) -> tuple[Inputs, ...]:
    weight, bias = normal(g, 3, 4), normal(g, 3)
    return (
        (normal(g, 5, 4), weight, bias),
        (normal(g, 5, 4), weight, None),
        (normal(g, 4), weight, bias),
        (normal(g, 2, 5, 4), weight, bias),
    )


def _affine_tripping(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 0, 4), normal(g, 3, 4), normal(g, 3)),
        (normal(g, 5, 0), normal(g, 3, 0), normal(g, 3)),
        (normal(g, 1, 1), normal(g, 1, 1), normal(g, 1)),
        (normal(g, 4, 5).T, normal(g, 4, 3).T, normal(g, 6)[::2]),
        (normal(g, 1, 4).expand(5, 4), normal(g, 3, 4), normal(g, 1).expand(3)),
        (1e150 * normal(g, 5, 4), normal(g, 3, 4), 1e-150 * normal(g, 3)),
    )


def homogeneous_twin(x: Tensor, weight: Tensor) -> Tensor:
    return F.linear(x, weight[:, :-1], weight[:, -1])


def _homogeneous_samples(g: Generator) -> tuple[Inputs, ...]:
    weight = normal(g, 3, 5)
    return ((normal(g, 6, 4), weight), (normal(g, 4), weight), (normal(g, 2, 6, 4), weight))


def _homogeneous_tripping(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 0, 4), normal(g, 3, 5)),
        (normal(g, 6, 0), normal(g, 3, 1)),
        (normal(g, 4, 6).T, normal(g, 5, 3).T),
    )


def _matmul_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 5, 4), normal(g, 4, 3)),
        (normal(g, 2, 5, 4), normal(g, 4, 3)),
        (normal(g, 5, 4), normal(g, 2, 4, 3)),
        (normal(g, 2, 1, 5, 4), normal(g, 6, 4, 3)),
        (normal(g, 4), normal(g, 2, 4, 3)),
        (normal(g, 2, 5, 4), normal(g, 4)),
        (normal(g, 4), normal(g, 4)),
    )


def _matmul_tripping(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 0, 4), normal(g, 4, 3)),
        (normal(g, 5, 0), normal(g, 0, 3)),
        (normal(g, 0, 5, 4), normal(g, 4, 3)),
        (normal(g, 1), normal(g, 1, 1)),
        (normal(g, 4, 5).T, normal(g, 8)[::2]),
        (normal(g, 1, 5, 4).expand(2, 5, 4), normal(g, 3, 4).T),
        (1e150 * normal(g, 5, 4), 1e-150 * normal(g, 4, 3)),
    )


def bilinear_twin(x: Tensor, other: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Composed: torch's own has no rule for vmap, which the second order is compared under."""
    y = torch.einsum("...i,oij,...j->...o", x, weight, other)
    return y if bias is None else y + bias


def _bilinear_samples(g: Generator) -> tuple[Inputs, ...]:
    weight, bias = normal(g, 2, 4, 3), normal(g, 2)
    return (
        (normal(g, 5, 4), normal(g, 5, 3), weight, bias),
        (normal(g, 5, 4), normal(g, 5, 3), weight, None),
        (normal(g, 4), normal(g, 3), weight, bias),
        (normal(g, 2, 5, 4), normal(g, 2, 5, 3), weight, bias),
    )


def _bilinear_tripping(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 0, 4), normal(g, 0, 3), normal(g, 2, 4, 3), normal(g, 2)),
        (normal(g, 1, 1), normal(g, 1, 1), normal(g, 1, 1, 1), normal(g, 1)),
        (normal(g, 4, 5).T, normal(g, 3, 5).T, normal(g, 3, 4, 2).mT.movedim(0, -1), None),
        (normal(g, 1, 4).expand(5, 4), normal(g, 5, 3), normal(g, 2, 4, 3), normal(g, 4)[::2]),
        (1e150 * normal(g, 5, 4), 1e-150 * normal(g, 5, 3), normal(g, 2, 4, 3), None),
    )


ENTRIES = (
    Entry(Affine, F.linear, _affine_samples, _affine_tripping),
    Entry(HomogeneousAffine, homogeneous_twin, _homogeneous_samples, _homogeneous_tripping),
    Entry(MatMul, torch.matmul, _matmul_samples, _matmul_tripping),
    Entry(Bilinear, bilinear_twin, _bilinear_samples, _bilinear_tripping),
)
