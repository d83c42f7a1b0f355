"""liger-kernel: many kernels store a gradient in what they were given, to need less memory."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.kernels import references
from tests.kernels.interpreter import DEVICE
from tests.kernels.kernel import Shelf
from tests.kernels.references import EPSILON

ops = pytest.importorskip("liger_kernel.ops", reason="liger-kernel is not installed")
if DEVICE == "cpu":  # it knows how many processors a device has, but for a CPU
    from liger_kernel.ops import dyt

    dyt.infer_device, dyt.get_npu_core_count = lambda: "npu", lambda: 2

KERNELS = Shelf("liger")
Apply = Callable[..., Any]
ANGLES = torch.outer(torch.arange(3.0), 10000.0 ** -(torch.arange(4) / 4)).to(DEVICE)


@KERNELS.holds(
    ops.LigerRMSNormFunction,
    references.rms_norm,
    lambda draw: (draw.normal(3, 20), draw.scale(20)),
    in_place=("mutates-grad-output",),
)
def rms_norm(apply: Apply, x: Tensor, weight: Tensor) -> Tensor:
    return apply(x, weight, EPSILON)


@KERNELS.holds(
    ops.LigerRMSNormFunction,
    references.rms_norm,
    lambda draw: (draw.normal(2, 3, 10), draw.scale(10)),
    held_out=True,
)
def rms_norm_out_of_place(apply: Apply, x: Tensor, weight: Tensor) -> Tensor:
    return apply(x, weight, EPSILON, 0.0, "gemma", False)


@KERNELS.holds(
    ops.LigerFusedAddRMSNormFunction,
    references.add_rms_norm,
    lambda draw: (draw.normal(3, 12), draw.normal(3, 12), draw.scale(12)),
    held_out=True,
)
def add_rms_norm(
    apply: Apply, x: Tensor, residual: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor]:
    return apply(x, residual, weight, EPSILON)


@KERNELS.holds(
    ops.LigerModulatedRMSNormFunction,
    references.modulated_rms_norm,
    lambda draw: (draw.normal(3, 10), draw.scale(10), draw.normal(10), draw.normal(10)),
    in_place=("mutates-grad-output",),
    held_out=True,
)
def modulated_rms_norm(
    apply: Apply, x: Tensor, weight: Tensor, scale: Tensor, shift: Tensor
) -> Tensor:
    return apply(x, weight, scale, shift, EPSILON)


@KERNELS.holds(
    ops.LigerLayerNormFunction,
    references.layer_norm,
    lambda draw: (draw.normal(3, 20), draw.scale(20), draw.normal(20)),
)
def layer_norm(apply: Apply, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return apply(x, weight, bias, EPSILON)


@KERNELS.holds(
    ops.LigerGroupNormFunction,
    references.group_norm,
    lambda draw: (draw.normal(1, 4, 4), draw.scale(4), draw.normal(4)),
    held_out=True,
)
def group_norm(apply: Apply, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return apply(x, weight, bias, 4, 2, EPSILON)


@KERNELS.holds(
    ops.LigerPolyNormFunction,
    references.poly_norm,
    lambda draw: (draw.normal(3, 10), draw.scale(3), draw.normal()),
    in_place=("mutates-grad-output",),
    held_out=True,
)
def poly_norm(apply: Apply, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return apply(x, weight, bias, EPSILON)


@KERNELS.holds(
    ops.LigerDyTFunction,
    references.dynamic_tanh,
    lambda draw: (draw.normal(3, 10), draw.scale(1), draw.scale(10), draw.normal(10)),
    held_out=True,
)
def dynamic_tanh(apply: Apply, x: Tensor, alpha: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    return apply(x, alpha, gamma, beta)


@KERNELS.holds(
    ops.LigerSiLUMulFunction,
    references.swiglu,
    lambda draw: (draw.normal(3, 12), draw.normal(3, 12)),
    in_place=("mutates-input", "mutates-saved"),
)
def swiglu(apply: Apply, a: Tensor, b: Tensor) -> Tensor:
    return apply(a, b)


@KERNELS.holds(
    ops.LigerGELUMulFunction,
    references.geglu,
    lambda draw: (draw.normal(3, 12), draw.normal(3, 12)),
    in_place=("mutates-input", "mutates-saved"),
)
def geglu(apply: Apply, a: Tensor, b: Tensor) -> Tensor:
    return apply(a, b)


@KERNELS.holds(
    ops.LigerReLUSquaredFunction, references.squared_relu, lambda draw: (draw.normal(3, 12),)
)
def squared_relu(apply: Apply, x: Tensor) -> Tensor:
    return apply(x)


@KERNELS.holds(ops.LigerSoftmaxFunction, references.softmax, lambda draw: (draw.normal(3, 9),))
def softmax(apply: Apply, x: Tensor) -> Tensor:
    return apply(x)


@KERNELS.holds(
    ops.LigerSparsemaxFunction,
    references.sparsemax,
    lambda draw: (draw.normal(3, 9),),
    held_out=True,
)
def sparsemax(apply: Apply, x: Tensor) -> Tensor:
    return apply(x, -1)


@KERNELS.holds(
    ops.LigerCrossEntropyFunction,
    references.cross_entropy,
    lambda draw: (draw.normal(4, 9), draw.below(9, 4)),
    in_place=("mutates-input", "mutates-saved"),
)
def cross_entropy(apply: Apply, logits: Tensor, target: Tensor) -> Tensor:
    return references.first(apply(logits, target, None))


@KERNELS.holds(
    ops.LigerFusedLinearCrossEntropyFunction,
    references.linear_cross_entropy,
    lambda draw: (draw.normal(3, 6), draw.normal(9, 6), draw.normal(9), draw.below(9, 3)),
    places={"target": 2, "bias": 3},
    in_place=("mutates-saved",),
)
def linear_cross_entropy(
    apply: Apply, x: Tensor, weight: Tensor, bias: Tensor, target: Tensor
) -> Tensor:
    return references.first(apply(x, weight, target, bias))


@KERNELS.holds(
    ops.LigerKLDivLossFunction,
    references.kl_divergence,
    lambda draw: (draw.log_probabilities(3, 9), draw.probabilities(3, 9)),
    constant=("q",),
)
def kl_divergence(apply: Apply, log_p: Tensor, q: Tensor) -> Tensor:
    return apply(log_p, q, "batchmean", False)


@KERNELS.holds(
    ops.LigerJSDFunction,
    references.jensen_shannon,
    lambda draw: (draw.log_probabilities(3, 9), draw.log_probabilities(3, 9)),
    constant=("log_q",),
    held_out=True,
)
def jensen_shannon(apply: Apply, log_p: Tensor, log_q: Tensor) -> Tensor:
    return apply(log_p, log_q)


@KERNELS.holds(
    ops.LigerTVDLossFunction,
    references.total_variation,
    lambda draw: (draw.probabilities(3, 9), draw.probabilities(3, 9)),
    constant=("q",),
    held_out=True,
)
def total_variation(apply: Apply, p: Tensor, q: Tensor) -> Tensor:
    return apply(p, q)


def _rotated(q: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
    cos, sin = ANGLES.cos().to(q.dtype), ANGLES.sin().to(q.dtype)
    return references.rotated(q, cos, sin), references.rotated(k, cos, sin)


@KERNELS.holds(
    ops.LigerRopeFunction,
    _rotated,
    lambda draw: (draw.normal(1, 2, 3, 8), draw.normal(1, 1, 3, 8)),
    in_place=("mutates-input",),
)
def rotary(apply: Apply, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
    twice = torch.cat([ANGLES, ANGLES], -1)[None]
    return apply(q, k, twice.cos().to(q.dtype), twice.sin().to(q.dtype))


@KERNELS.holds(
    ops.LigerEmbeddingFunction,
    references.embedding,
    lambda draw: (draw.normal(6, 5), draw.below(6, 4)),
    held_out=True,
)
def embedding(apply: Apply, table: Tensor, indices: Tensor) -> Tensor:
    return apply(table, indices)


@KERNELS.holds(
    ops.LigerAttnResFunction,
    references.attention_over_layers,
    lambda draw: (draw.normal(2, 1, 2, 4), draw.normal(4), draw.scale(4)),
    held_out=True,
)
def attention_over_layers(apply: Apply, values: Tensor, query: Tensor, weight: Tensor) -> Tensor:
    return apply(values, query, weight, EPSILON)
