"""The affine map, with the bias beside the matrix or folded into it."""

import torch.nn.functional as F
from torch import Generator, Tensor

from torchref.catalogue.entry import Entry, Inputs, normal
from torchref.ops import Affine, HomogeneousAffine


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


ENTRIES = (
    Entry(Affine, F.linear, _affine_samples, _affine_tripping),
    Entry(HomogeneousAffine, homogeneous_twin, _homogeneous_samples, _homogeneous_tripping),
)
