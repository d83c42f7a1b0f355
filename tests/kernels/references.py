"""What the kernels should equal, in plain torch: formulas that run in any dtype."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

EPSILON = 1e-6


def rms_norm(x: Tensor, weight: Tensor) -> Tensor:
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPSILON) * weight


def add_rms_norm(x: Tensor, residual: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    total = x + residual
    return rms_norm(total, weight), total


def modulated_rms_norm(x: Tensor, weight: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    return rms_norm(x, weight) * (1 + scale) + shift


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], weight, bias, EPSILON)


def group_norm(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return F.group_norm(x, 2, weight, bias, EPSILON)


def poly_norm(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """w₀ norm(x³) + w₁ norm(x²) + w₂ norm(x) + b."""

    def normed(u: Tensor) -> Tensor:
        return u * torch.rsqrt(u.square().mean(-1, keepdim=True) + EPSILON)

    return weight[0] * normed(x**3) + weight[1] * normed(x**2) + weight[2] * normed(x) + bias


def l2_norm(x: Tensor) -> Tensor:
    return x * torch.rsqrt(x.square().sum(-1, keepdim=True) + EPSILON)


def gated_rms_norm(x: Tensor, gate: Tensor, weight: Tensor) -> Tensor:
    return rms_norm(x, weight) * F.silu(gate)


def swiglu(a: Tensor, b: Tensor) -> Tensor:
    return F.silu(a) * b


def geglu(a: Tensor, b: Tensor) -> Tensor:
    return F.gelu(a, approximate="tanh") * b


def sigmoid_glu(a: Tensor, b: Tensor) -> Tensor:
    return a.sigmoid() * b


def gelu(x: Tensor) -> Tensor:
    return F.gelu(x, approximate="tanh")


def softmax(x: Tensor) -> Tensor:
    return x.softmax(-1)


def squared_relu(x: Tensor) -> Tensor:
    return x.relu().square()


def dynamic_tanh(x: Tensor, alpha: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    return gamma * torch.tanh(alpha * x) + beta


def gated_boost(x: Tensor, seen: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
    """x + σ(gate) max(seen − x, 0), and the σ."""
    opening = torch.sigmoid(gate)
    return x + opening * torch.relu(seen - x), opening


def sparsemax(x: Tensor) -> Tensor:
    """The nearest point of the simplex: max(x − τ, 0), with τ so that the sum is 1."""
    ordered = x.sort(-1, descending=True).values
    sums = ordered.cumsum(-1) - 1
    count = torch.arange(1, x.shape[-1] + 1, device=x.device, dtype=x.dtype)
    support = (count * ordered > sums).sum(-1, keepdim=True)
    threshold = sums.gather(-1, support - 1) / support.to(x.dtype)
    return (x - threshold).relu()


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(logits, target)


def cross_entropies(logits: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(logits, target, reduction="none")


def linear_cross_entropy(x: Tensor, weight: Tensor, bias: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(F.linear(x, weight, bias), target)


def kl_divergence(log_p: Tensor, q: Tensor) -> Tensor:
    return F.kl_div(log_p, q, reduction="batchmean")


def jensen_shannon(log_p: Tensor, log_q: Tensor) -> Tensor:
    p, q = log_p.exp(), log_q.exp()
    log_middle = ((p + q) / 2).log()
    divergence = p * (log_p - log_middle) + q * (log_q - log_middle)
    return divergence.sum() / (2 * len(log_p))


def total_variation(p: Tensor, q: Tensor) -> Tensor:
    return (p - q).abs().sum() / (2 * len(p))


def embedding(table: Tensor, indices: Tensor) -> Tensor:
    return F.embedding(indices, table)


def rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Pairs (i, i + n/2) of the last dimension, turned by the angle of their position."""
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def linear_relu(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return F.linear(x, weight, bias).relu()


def delta_rule(q: Tensor, k: Tensor, v: Tensor, beta: Tensor) -> Tensor:
    """Sₜ = Sₜ₋₁ + βₜ kₜ (vₜ − Sₜ₋₁ᵀ kₜ)ᵀ, read by qₜ."""
    state, outputs = 0 * k[:, 0, :, :, None] * v[:, 0, :, None, :], []
    for t in range(q.shape[1]):
        old = (k[:, t, :, :, None] * state).sum(-2)
        change = beta[:, t, :, None] * (v[:, t] - old)
        state = state + k[:, t, :, :, None] * change[:, :, None, :]
        outputs.append((q[:, t, :, :, None] * state).sum(-2))
    return torch.stack(outputs, 1) * q.shape[-1] ** -0.5


def gated_recurrence(x: Tensor, g: Tensor) -> Tensor:
    """hₜ = exp(gₜ) hₜ₋₁ + xₜ."""
    state, outputs = torch.zeros_like(x[:, 0]), []
    for t in range(x.shape[1]):
        state = g[:, t].exp() * state + x[:, t]
        outputs.append(state)
    return torch.stack(outputs, 1)


def shifted_by_one(x: Tensor) -> Tensor:
    """The step from the token before to this one; the first has none before it."""
    return F.pad(x, (0, 0, 1, -1)) - x


def mean_pooling(x: Tensor, length: int) -> Tensor:
    return torch.stack([part.mean(1) for part in x.split(length, 1)], 1)


def attention_over_layers(values: Tensor, query: Tensor, weight: Tensor) -> Tensor:
    """Each token's softmax over the layers' outputs, whose keys are normalised."""
    scores = (rms_norm(values, weight) * query).sum(-1)
    return (scores.softmax(0)[..., None] * values).sum(0)


def key_update(k: Tensor, a: Tensor, ka: Tensor) -> Tensor:
    return k * (1 + (a - 1) * ka)


def first(outputs: tuple[Any, ...]) -> Any:
    return outputs[0]
