"""torchnorm: normalisations whose rows add up the weight's gradient by atomic additions."""

from collections.abc import Callable
from typing import Any

import pytest
from torch import Tensor

from tests.kernels import references
from tests.kernels.kernel import Shelf
from tests.kernels.references import EPSILON

kernels = pytest.importorskip("torchnorm._triton", reason="torchnorm is not installed")

KERNELS = Shelf("torchnorm")
Apply = Callable[..., Any]


@KERNELS.holds(
    kernels._RMSNormFunc, references.rms_norm, lambda draw: (draw.normal(3, 10), draw.scale(10))
)
def rms_norm(apply: Apply, x: Tensor, weight: Tensor) -> Tensor:
    return apply(x, weight, EPSILON)


@KERNELS.holds(
    kernels._LayerNormFunc,
    references.layer_norm,
    lambda draw: (draw.normal(3, 10), draw.scale(10), draw.normal(10)),
    held_out=True,
)
def layer_norm(apply: Apply, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return apply(x, weight, bias, EPSILON)
