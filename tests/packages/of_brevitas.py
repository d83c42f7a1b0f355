"""brevitas: quantisers whose gradients are straight-through."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Shelf

ops = pytest.importorskip("brevitas.function.ops_ste", reason="brevitas is not installed")
FUNCTIONS = Shelf("brevitas")
STRAIGHT = "the gradient is straight-through"


def unchanged(x: Tensor) -> Tensor:
    return x.clone()


@FUNCTIONS.holds(
    lambda draw: (4 * draw.normal(4, 7),), torch.round, surrogate=unchanged, because=STRAIGHT
)
def round_ste(x: Tensor) -> Tensor:
    return ops.round_ste(x)


@FUNCTIONS.holds(
    lambda draw: (2 * draw.normal(3, 5, 4),),
    lambda x: x.clamp(-1, 1.5),
    surrogate=unchanged,
    because=STRAIGHT,
)
def scalar_clamp_ste(x: Tensor) -> Tensor:
    return ops.scalar_clamp_ste(x, -1.0, 1.5)


@FUNCTIONS.holds(
    lambda draw: (2 * draw.normal(5, 3), -draw.between(0.5, 1, 3), draw.between(0.5, 1, 3)),
    surrogate=lambda x, _low, _high: x.clone(),
    wrt=("x",),
    because=STRAIGHT,
)
def tensor_clamp_ste(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    return ops.tensor_clamp_ste(x, low, high)


@FUNCTIONS.holds(lambda draw: (draw.normal(4, 6),), torch.abs)
def abs_binary_sign_grad(x: Tensor) -> Tensor:
    return ops.abs_binary_sign_grad(x)
