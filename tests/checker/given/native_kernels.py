"""Kernels that compute in float32 whatever arrives, right and with one mistake, and references."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

Mistake = Callable[[Tensor], Tensor]  # what it makes of the gradient of the first argument


@dataclass(frozen=True)
class Kernel:
    """Its gradient is that of a formula in float32, written by hand where it is short."""

    name: str
    formula: Callable[..., Tensor]  # in the way that kernels compute it
    reference: Callable[..., Tensor]
    inputs: Callable[[Generator], tuple[Tensor, ...]]
    refuses_double: bool = False

    def function(self, mistake: Mistake | None = None) -> Callable[..., Tensor]:
        formula, refuses = self.formula, self.refuses_double

        class Native(Function):
            @staticmethod
            def forward(ctx: Any, *inputs: Tensor) -> Tensor:
                if refuses and inputs[0].dtype == torch.float64:
                    raise TypeError("this kernel takes float32")
                ctx.save_for_backward(*inputs)
                return formula(*(x.float() for x in inputs)).to(inputs[0].dtype)

            @staticmethod
            @once_differentiable
            def backward(ctx: Any, grad_y: Tensor) -> Any:
                inputs = [x.detach().float().requires_grad_() for x in ctx.saved_tensors]
                with torch.enable_grad():
                    y = formula(*inputs)
                gradients = torch.autograd.grad(y, inputs, grad_y.float())
                given = ctx.saved_tensors
                first, *others = (g.to(x.dtype) for g, x in zip(gradients, given, strict=True))
                return mistake(first) if mistake else first, *others

        return Native.apply


def drawn(generator: Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=generator)


def rms_norm(x: Tensor, weight: Tensor) -> Tensor:
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * weight


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    mean = x.mean(-1, keepdim=True)
    variance = x.square().mean(-1, keepdim=True) - mean.square()
    return (x - mean) * torch.rsqrt(variance + 1e-5) * weight + bias


def gelu(x: Tensor, bias: Tensor) -> Tensor:
    z = x + bias
    return 0.5 * z * (1 + torch.tanh(0.7978845608028654 * (z + 0.044715 * z**3)))


def softmax(x: Tensor) -> Tensor:
    e = torch.exp(x - x.amax(-1, keepdim=True).detach())
    return e / e.sum(-1, keepdim=True)


def log_sum_exp(x: Tensor) -> Tensor:
    peak = x.amax(-1, keepdim=True).detach()
    return (x - peak).exp().sum(-1).log() + peak.squeeze(-1)


def swiglu(gate: Tensor, up: Tensor) -> Tensor:
    return gate * torch.sigmoid(gate) * up


def geglu(gate: Tensor, up: Tensor) -> Tensor:
    return 0.5 * gate * (1 + torch.erf(gate * 0.7071067811865476)) * up


def divergence(log_p: Tensor, q: Tensor) -> Tensor:
    return (torch.xlogy(q, q) - q * log_p).sum() / len(q)


def rotary(x: Tensor) -> Tensor:
    half = x.shape[-1] // 2
    angle = torch.arange(len(x))[:, None] / 100.0 ** (torch.arange(half) / half)
    one, other = x[..., :half], x[..., half:]
    c, s = angle.cos().to(x), angle.sin().to(x)
    return torch.cat([one * c - other * s, one * s + other * c], -1)


def loss_of_rows(x: Tensor) -> Tensor:
    rows = torch.arange(len(x))
    return (log_sum_exp(x) - x[rows, rows % x.shape[-1]]).mean()


KERNELS = (
    Kernel("rms norm", rms_norm, rms_norm, lambda g: (drawn(g, 5, 20), drawn(g, 20))),
    Kernel(
        "layer norm in one pass",
        layer_norm,
        lambda x, w, b: F.layer_norm(x, x.shape[-1:], w, b),
        lambda g: (drawn(g, 5, 20), drawn(g, 20), drawn(g, 20)),
        refuses_double=True,
    ),
    Kernel(
        "gelu with bias",
        gelu,
        lambda x, bias: F.gelu(x + bias, approximate="tanh"),
        lambda g: (3 * drawn(g, 4, 6), drawn(g, 6)),
        refuses_double=True,
    ),
    Kernel("softmax", softmax, lambda x: x.softmax(-1), lambda g: (drawn(g, 4, 7),)),
    Kernel("log-sum-exp", log_sum_exp, lambda x: x.logsumexp(-1), lambda g: (drawn(g, 4, 7),)),
    # Those below were not looked at while the rule was made.
    Kernel(
        "swiglu", swiglu, lambda a, b: F.silu(a) * b, lambda g: (drawn(g, 4, 6), drawn(g, 4, 6))
    ),
    Kernel(
        "geglu",
        geglu,
        lambda a, b: F.gelu(a) * b,
        lambda g: (drawn(g, 4, 6), drawn(g, 4, 6)),
        refuses_double=True,
    ),
    Kernel(
        "Kullback-Leibler divergence",
        divergence,
        lambda p, q: F.kl_div(p, q, reduction="batchmean"),
        lambda g: (drawn(g, 4, 6).log_softmax(-1), drawn(g, 4, 6).softmax(-1)),
    ),
    Kernel("rotary", rotary, rotary, lambda g: (drawn(g, 5, 8),), refuses_double=True),
    Kernel(
        "cross-entropy",
        loss_of_rows,
        lambda x: F.cross_entropy(x, torch.arange(len(x)) % x.shape[-1]),
        lambda g: (drawn(g, 5, 7),),
    ),
)


def _at_largest(gradient: Tensor, factor: float) -> Tensor:
    changed = gradient.clone()
    changed.reshape(-1)[gradient.abs().argmax()] *= factor
    return changed


MISTAKES: dict[str, Mistake] = {
    "scaled": lambda gradient: 1.03 * gradient,
    "one entry lost": lambda gradient: _at_largest(gradient, 0.0),
    "one entry off": lambda gradient: _at_largest(gradient, 1.01),
    "zeros": torch.zeros_like,
}
MISTAKES_IN_16_BITS = MISTAKES | {"one entry off": lambda gradient: _at_largest(gradient, 1.1)}
