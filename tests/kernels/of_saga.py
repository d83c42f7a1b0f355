"""saga-activation: a gate that lets an image's filtered values through."""

from collections.abc import Callable
from typing import Any

import pytest
from torch import Tensor

from tests.kernels import references
from tests.kernels.kernel import Shelf

activation = pytest.importorskip("saga.activation", reason="saga-activation is not installed")

KERNELS = Shelf("saga")
Apply = Callable[..., Any]


@KERNELS.holds(
    activation.SAGAFusedFunction,
    references.gated_boost,
    lambda draw: (draw.normal(2, 9), draw.normal(2, 9), draw.normal(2, 9)),
    held_out=True,
)
def gated_boost(apply: Apply, x: Tensor, seen: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
    return apply(x, seen, gate, 1.0)
