"""The kernels written here."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from tests.kernels import references
from tests.kernels.handwritten_blocks import GELU, LinearReLU, SwiGLU
from tests.kernels.handwritten_rows import CrossEntropy, LayerNorm, RMSNorm, Softmax
from tests.kernels.kernel import Shelf
from tests.kernels.references import EPSILON

KERNELS = Shelf("handwritten")
Apply = Callable[..., Any]


@KERNELS.holds(Softmax, references.softmax, lambda draw: (draw.normal(3, 9),))
def softmax(apply: Apply, x: Tensor) -> Tensor:
    return apply(x)


@KERNELS.holds(
    RMSNorm, references.rms_norm, lambda draw: (draw.normal(3, 12), draw.scale(12)), held_out=True
)
def rms_norm(apply: Apply, x: Tensor, weight: Tensor) -> Tensor:
    return apply(x, weight, EPSILON)


@KERNELS.holds(
    LayerNorm,
    references.layer_norm,
    lambda draw: (draw.normal(3, 12), draw.scale(12), draw.normal(12)),
)
def layer_norm(apply: Apply, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return apply(x, weight, bias, EPSILON)


@KERNELS.holds(
    CrossEntropy,
    references.cross_entropies,
    lambda draw: (draw.normal(3, 7), draw.below(7, 3)),
    held_out=True,
)
def cross_entropy(apply: Apply, logits: Tensor, target: Tensor) -> Tensor:
    return apply(logits, target)


@KERNELS.holds(SwiGLU, references.swiglu, lambda draw: (draw.normal(3, 10), draw.normal(3, 10)))
def swiglu(apply: Apply, a: Tensor, b: Tensor) -> Tensor:
    return apply(a, b)


@KERNELS.holds(GELU, references.gelu, lambda draw: (draw.normal(3, 10),), held_out=True)
def gelu(apply: Apply, x: Tensor) -> Tensor:
    return apply(x)


@KERNELS.holds(
    LinearReLU,
    references.linear_relu,
    lambda draw: (draw.normal(3, 6), draw.normal(4, 6), draw.normal(4)),
)
def linear_relu(apply: Apply, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return apply(x, weight, bias)
