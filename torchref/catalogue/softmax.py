"""The softmax, its logarithm, and the cross-entropy behind it."""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from torchref.catalogue.entry import Entry, Inputs, chance, normal
from torchref.ops import LogSoftmax, Softmax, SoftmaxCrossEntropy


def softmax_twin(x: Tensor) -> Tensor:
    return torch.softmax(x, -1)


def log_softmax_twin(x: Tensor) -> Tensor:
    return torch.log_softmax(x, -1)


def _softmax_samples(g: Generator) -> tuple[Inputs, ...]:
    return ((normal(g, 5, 3),), (normal(g, 7),), (normal(g, 2, 3, 4),))


def _softmax_tripping(g: Generator) -> tuple[Inputs, ...]:
    ties = torch.tensor([[1e4, 1e4, -1e4], [-40.0, 0.0, 40.0]], dtype=torch.float64)
    return (
        (ties,),
        (normal(g, 0, 3),),
        (normal(g, 3, 5).T,),
        (normal(g, 5, 1),),
        (normal(g, 5, 1).expand(5, 4),),
    )


def softmax_cross_entropy_twin(x: Tensor, target: Tensor) -> Tensor:
    """torch has the classes second; x is a row of logits or has them last."""
    dim = min(1, x.dim() - 1)
    return F.cross_entropy(x.movedim(-1, dim), target.movedim(-1, dim), reduction="none")


def _softmax_cross_entropy_samples(g: Generator) -> tuple[Inputs, ...]:
    return tuple((normal(g, *shape), chance(g, *shape)) for shape in ((5, 3), (4,), (2, 5, 3)))


def _softmax_cross_entropy_tripping(g: Generator) -> tuple[Inputs, ...]:
    sure = torch.tensor([[1e4, -1e4, 0.0], [40.0, 40.0, -40.0]], dtype=torch.float64)
    labels = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
    return (
        (sure, labels),
        (normal(g, 0, 3), chance(g, 0, 3)),
        (normal(g, 5, 1), chance(g, 5, 1)),
        (normal(g, 3, 5).T, chance(g, 5, 3)),
    )


ENTRIES = (
    Entry(Softmax, softmax_twin, _softmax_samples, _softmax_tripping),
    Entry(LogSoftmax, log_softmax_twin, _softmax_samples, _softmax_tripping),
    Entry(
        SoftmaxCrossEntropy,
        softmax_cross_entropy_twin,
        _softmax_cross_entropy_samples,
        _softmax_cross_entropy_tripping,
    ),
)
