"""What makes one number of the losses of all entries."""

from torch import Generator, Tensor

from torchref.catalogue.draws import normal
from torchref.catalogue.entry import Entry, Inputs
from torchref.ops import REDUCTIONS, Reduction


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


ENTRIES = (Entry(Reduction, reduction_twin, _reduction_samples, _reduction_tripping),)
