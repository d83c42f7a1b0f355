"""torch_struct: structured prediction by semirings."""

import pytest
import torch
from torch import Tensor

from tests.kernels.references import sparsemax
from tests.packages.published import Shelf

semirings = pytest.importorskip("torch_struct.semirings", reason="torch_struct is not installed")
FUNCTIONS = Shelf("torch_struct")


def value(x: Tensor) -> Tensor:
    p = sparsemax(x)
    return (p * x).sum(-1) - p.square().sum(-1) / 2


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 7),),
    surrogate=value,
    because="the value has the norm where its gradient has half of its square",
)
def sparse_maximum(x: Tensor) -> Tensor:
    return semirings.SparseMaxSemiring.sum(x, -1)


def log_product(a: Tensor, b: Tensor) -> Tensor:
    return torch.logsumexp(a[..., :, :, None] + b[..., None, :, :], -2)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(2, 3, 4), draw.normal(2, 4, 5)),
    log_product,
    right=False,
    because="backward raises where one factor only has a gradient",
)
def checkpointed_product(a: Tensor, b: Tensor) -> Tensor:
    return semirings.CheckpointSemiring(semirings.LogSemiring, 1).matmul(a, b)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(5, 3, 4), draw.normal(5, 4, 6)),
    dtype=torch.float64,
    right=False,
    because="without a dimension of size 1 the gradient is summed to a single number, and raises",
)
def product_in_shards(a: Tensor, b: Tensor) -> Tensor:
    return semirings.CheckpointShardSemiring(semirings.LogSemiring, 24).matmul(a, b)
