"""Smooth activations, entry by entry."""

import math

import torch
from torch.nn import functional as F

from tests.random_inputs import normals, with_entries

from .by_hand import backward_of, wrong

SOME = normals((3, 4))


@wrong(
    "other approximation",
    ("missing-local-derivative",),
    "the exact function's derivative for its approximation by tanh",
    "GELU in Megatron and kernels for Llama",
)
@backward_of(lambda x: F.gelu(x, approximate="tanh"), SOME)
def gelu(slip, grad_y, x):
    c, cubic = math.sqrt(2 / math.pi), 0.044715
    if slip:
        bell = torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)
        return grad_y * (0.5 * (1 + torch.erf(x / math.sqrt(2))) + x * bell)
    t = torch.tanh(c * (x + cubic * x**3))
    return grad_y * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + 3 * cubic * x * x))


@wrong(
    "at the output",
    ("missing-local-derivative",),
    "the derivative is taken at the output",
    "ooples/AiDotNet.Tensors#106",
)
@backward_of(F.silu, SOME, forward=lambda x: x * torch.sigmoid(x))
def silu(slip, grad_y, x, y):
    x = y if slip else x
    s = torch.sigmoid(x)
    return grad_y * s * (1 + x * (1 - s))


@wrong("no second term", ("missing-term",), "x·sech²·σ is absent", "mish-cuda")
@backward_of(F.mish, SOME, forward=lambda x: x * torch.tanh(F.softplus(x)))
def mish(slip, grad_y, x):
    t = torch.tanh(F.softplus(x))
    return grad_y * (t if slip else t + x * (1 - t * t) * torch.sigmoid(x))


@wrong(
    "overflow",
    ("not-finite",),
    "eˣ/(1 + eˣ) is ∞/∞ at a large x",
    "softplus kernels of caffe",
    ordinary=SOME,
)
@backward_of(
    F.softplus,
    with_entries((3, 4), {(1, 1): 800.0}),
    forward=lambda x: torch.logaddexp(x, torch.zeros_like(x)),
)
def softplus(slip, grad_y, x):
    return grad_y * (x.exp() / (1 + x.exp()) if slip else torch.sigmoid(x))


@wrong(
    "clipped",
    ("not-linear-in-grad-output",),
    "the gradient is clamped on its way",
    "gradient clipping within backward of binary and recurrent networks",
)
@backward_of(F.tanhshrink, SOME, forward=lambda x: x - torch.tanh(x))
def tanhshrink(slip, grad_y, x):
    grad_x = grad_y * torch.tanh(x) ** 2
    return grad_x.clamp(-1, 1) if slip else grad_x
