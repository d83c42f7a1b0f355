"""flash-linear-attention: recurrences over time, and what goes with them."""

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.kernels import references
from tests.kernels.interpreter import DEVICE
from tests.kernels.kernel import Shelf
from tests.kernels.references import EPSILON

pytest.importorskip("fla.modules", reason="fla-core is not installed")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that there is no device
    from fla.modules import token_shift as shift
    from fla.modules.activations import ops as activations
    from fla.modules.fused_cross_entropy import ops as losses
    from fla.modules.norm import fused_norm_gate, l2norm, layernorm
    from fla.modules.rotary import ops as rotation
    from fla.ops.delta_rule import fused_recurrent as delta
    from fla.ops.hgrn import fused_recurrent as hgrn
    from fla.ops.rwkv7 import fused_k_update
    from fla.ops.utils import pooling

KERNELS = Shelf("fla")
Apply = Callable[..., Any]
ANGLES = torch.outer(torch.arange(4.0), 10000.0 ** -(torch.arange(4) / 4)).to(DEVICE)


@KERNELS.holds(
    layernorm.LayerNormFunction,
    references.layer_norm,
    lambda draw: (draw.normal(3, 10), draw.scale(10), draw.normal(10)),
)
def layer_norm(apply: Apply, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return apply(x, weight, bias, None, EPSILON)


@KERNELS.holds(
    fused_norm_gate.LayerNormGatedFunction,
    references.gated_rms_norm,
    lambda draw: (draw.normal(3, 10), draw.normal(3, 10), draw.scale(10)),
    held_out=True,
)
def gated_rms_norm(apply: Apply, x: Tensor, gate: Tensor, weight: Tensor) -> Tensor:
    return apply(x, gate, weight, None, "swish", None, EPSILON, False, False, True)


@KERNELS.holds(l2norm.L2NormFunction, references.l2_norm, lambda draw: (draw.normal(3, 10),))
def l2_norm(apply: Apply, x: Tensor) -> Tensor:
    return apply(x, EPSILON)


@KERNELS.holds(
    activations.SwishFunction, torch.nn.functional.silu, lambda draw: (draw.normal(3, 10),)
)
def swish(apply: Apply, x: Tensor) -> Tensor:
    return apply(x)


@KERNELS.holds(
    activations.LogSigmoidFunction,
    torch.nn.functional.logsigmoid,
    lambda draw: (draw.normal(3, 10),),
    held_out=True,
)
def log_sigmoid(apply: Apply, x: Tensor) -> Tensor:
    return apply(x, 1.0)


@KERNELS.holds(
    activations.SigmoidGLUFunction,
    references.sigmoid_glu,
    lambda draw: (draw.normal(3, 10), draw.normal(3, 10)),
    held_out=True,
)
def sigmoid_glu(apply: Apply, a: Tensor, b: Tensor) -> Tensor:
    return apply(a, b)


@KERNELS.holds(
    losses.FusedCrossEntropyFunction,
    references.cross_entropies,
    lambda draw: (draw.normal(3, 7), draw.below(7, 3)),
)
def cross_entropy(apply: Apply, logits: Tensor, target: Tensor) -> Tensor:
    return references.first(apply(logits, target))


def _rotated(x: Tensor) -> Tensor:
    cos, sin = ANGLES.cos().to(x.dtype), ANGLES.sin().to(x.dtype)
    return references.rotated(x, cos[:, None], sin[:, None])


@KERNELS.holds(
    rotation.RotaryEmbeddingFunction,
    _rotated,
    lambda draw: (draw.normal(1, 4, 1, 8),),
    held_out=True,
)
def rotary(apply: Apply, x: Tensor) -> Tensor:
    return apply(x, ANGLES.cos().to(x.dtype), ANGLES.sin().to(x.dtype))


@KERNELS.holds(
    shift.TokenShift, references.shifted_by_one, lambda draw: (draw.normal(2, 4, 6),), held_out=True
)
def token_shift(apply: Apply, x: Tensor) -> Tensor:
    return references.first(apply(x, None, None, False))


@KERNELS.holds(
    pooling.MeanPoolingFunction,
    lambda x: references.mean_pooling(x, 2),
    lambda draw: (draw.normal(1, 4, 1, 5),),
    held_out=True,
)
def mean_pooling(apply: Apply, x: Tensor) -> Tensor:
    return apply(x, 2)


@KERNELS.holds(
    fused_k_update.KUpdateFunction,
    references.key_update,
    lambda draw: (draw.normal(2, 3, 8), draw.between(0, 1, 2, 3, 8), draw.normal(8)),
    held_out=True,
)
def key_update(apply: Apply, k: Tensor, a: Tensor, ka: Tensor) -> Tensor:
    return apply(k, a, ka)


@KERNELS.holds(
    hgrn.FusedRecurrentHGRNFunction,
    references.gated_recurrence,
    lambda draw: (draw.normal(1, 4, 6), draw.between(-1, 0, 1, 4, 6)),
)
def gated_recurrence(apply: Apply, x: Tensor, g: Tensor) -> Tensor:
    return references.first(apply(x, g))


@KERNELS.holds(
    delta.FusedRecurrentFunction,
    references.delta_rule,
    lambda draw: (
        draw.normal(1, 3, 1, 4),
        0.3 * draw.normal(1, 3, 1, 4),
        draw.normal(1, 3, 1, 4),
        draw.between(0, 1, 1, 3, 1),
    ),
)
def delta_rule(apply: Apply, q: Tensor, k: Tensor, v: Tensor, beta: Tensor) -> Tensor:
    return references.first(apply(q, k, v, beta, q.shape[-1] ** -0.5, None, False))
