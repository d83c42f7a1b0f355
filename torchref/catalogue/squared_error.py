"""The squared error, and what makes one number of the losses of all entries."""

import torch.nn.functional as F
from torch import Generator, Tensor

from torchref.catalogue.entry import Entry, Inputs, normal
from torchref.ops import REDUCTIONS, Reduction, SquaredError


def squared_error_twin(x: Tensor, target: Tensor) -> Tensor:
    return F.mse_loss(x, target, reduction="none")


def _squared_error_samples(g: Generator) -> tuple[Inputs, ...]:
    return tuple((normal(g, *shape), normal(g, *shape)) for shape in ((5, 3), (4,), ()))


def _squared_error_tripping(g: Generator) -> tuple[Inputs, ...]:
    same = normal(g, 3)
    return (
        (same, same.clone()),
        (normal(g, 0, 3), normal(g, 0, 3)),
        (normal(g, 3, 5).T, normal(g, 5, 3)),
    )


def reduction_twin(x: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    weighted = x * 1 if weight is None else x * weight
    if reduction == "none":
        return weighted
    total = weighted.mean() if reduction.endswith("mean") else weighted.sum()
    return total / 2 if reduction.startswith("half") else total


def _reduction_samples(g: Generator) -> tuple[Inputs, ...]:
    weights = {"none": (5, 3), "sum": (3,), "mean": (5, 1), "half_sum": (1,), "half_mean": ()}
    return tuple(
        (normal(g, 5, 3), weight, reduction)
        for reduction in REDUCTIONS
        for weight in (None, normal(g, *weights[reduction]))
    )


def _reduction_tripping(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 0, 3), None, "sum"),
        (normal(g, 0, 3), normal(g, 3), "none"),
        (normal(g, 3, 5).T, normal(g, 3), "mean"),
        (normal(g, 1, 1), normal(g, 1), "half_mean"),
    )


ENTRIES = (
    Entry(SquaredError, squared_error_twin, _squared_error_samples, _squared_error_tripping),
    Entry(Reduction, reduction_twin, _reduction_samples, _reduction_tripping),
)
