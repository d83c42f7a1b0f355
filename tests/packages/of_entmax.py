"""entmax: sparse alternatives of the softmax."""

import pytest
import torch
from torch import Tensor

from tests.kernels.references import sparsemax as sparsemax_by_sorting
from tests.packages.published import Shelf

entmax = pytest.importorskip("entmax", reason="entmax is not installed")
FUNCTIONS = Shelf("entmax")


def entmax15_by_sorting(x: Tensor) -> Tensor:
    z = x.sort(-1, descending=True).values / 2
    k = torch.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    mean, square = z.cumsum(-1) / k, z.square().cumsum(-1) / k
    gap = 1 / k - square + mean.square()
    last = ((mean - gap.relu().sqrt()) <= z).sum(-1, keepdim=True) - 1
    threshold = mean.gather(-1, last) - gap.gather(-1, last).sqrt()
    return (x / 2 - threshold).relu().square()


def fenchel_young(x: Tensor, target: Tensor, p: Tensor, entropy: Tensor) -> Tensor:
    return entropy + (p * x).sum(-1) - x.gather(1, target[:, None])[:, 0]


def sparsemax_loss_by_definition(x: Tensor, target: Tensor) -> Tensor:
    p = sparsemax_by_sorting(x)
    return fenchel_young(x, target, p, (1 - p.square().sum(-1)) / 2)


def entmax15_loss_by_definition(x: Tensor, target: Tensor) -> Tensor:
    p = entmax15_by_sorting(x)
    return fenchel_young(x, target, p, (1 - p.pow(1.5).sum(-1)) / 0.75)


@FUNCTIONS.holds(lambda draw: (draw.normal(4, 7),), sparsemax_by_sorting)
def sparsemax(x: Tensor) -> Tensor:
    return entmax.sparsemax(x, dim=-1)


@FUNCTIONS.holds(lambda draw: (draw.normal(3, 5, 7),), sparsemax_by_sorting)
def sparsemax_of_the_largest(x: Tensor) -> Tensor:
    return entmax.sparsemax(x, dim=-1, k=3)


@FUNCTIONS.holds(lambda draw: (draw.normal(5, 9),), entmax15_by_sorting)
def entmax15(x: Tensor) -> Tensor:
    return entmax.entmax15(x, dim=-1)


@FUNCTIONS.holds(lambda draw: (draw.normal(3, 6),), sparsemax_by_sorting)
def sparsemax_bisect(x: Tensor) -> Tensor:
    return entmax.sparsemax_bisect(x)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 6), draw.between(1.2, 1.9, 4, 1)),
    domain={"alpha": lambda alpha: (alpha > 1.1) & (alpha < 4)},
    because="alpha is above 1, and not close to it",
)
def entmax_bisect(x: Tensor, alpha: Tensor) -> Tensor:
    return entmax.entmax_bisect(x, alpha)


@FUNCTIONS.holds(lambda draw: (draw.normal(3, 8),))
def normmax_bisect(x: Tensor) -> Tensor:
    return entmax.normmax_bisect(x, alpha=2, dim=-1)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(3, 7),),
    domain={"x": lambda x: x.shape[-1] > 2},
    because="no more can be spent than there are entries",
)
def budget_bisect(x: Tensor) -> Tensor:
    return entmax.budget_bisect(x, budget=2, dim=-1)


@FUNCTIONS.holds(lambda draw: (draw.normal(5, 8), draw.below(8, 5)), sparsemax_loss_by_definition)
def sparsemax_loss(x: Tensor, target: Tensor) -> Tensor:
    return entmax.sparsemax_loss(x, target)


@FUNCTIONS.holds(lambda draw: (draw.normal(6, 4), draw.below(4, 6)), entmax15_loss_by_definition)
def entmax15_loss(x: Tensor, target: Tensor) -> Tensor:
    return entmax.entmax15_loss(x, target)


@FUNCTIONS.holds(lambda draw: (draw.normal(4, 9), draw.below(9, 4)))
def entmax_bisect_loss(x: Tensor, target: Tensor) -> Tensor:
    return entmax.entmax_bisect_loss(x, target, 1.3)
