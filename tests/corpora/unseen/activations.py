"""Smooth activations, entry by entry."""

import math

import torch
from torch.nn import functional as F

from tests.random_inputs import normals, with_entries

from .by_hand import Slip, by_hand

SOME = normals((3, 4))


@by_hand(
    lambda x: F.gelu(x, approximate="tanh"),
    SOME,
    Slip(
        "other approximation",
        ("missing-local-derivative",),
        "the exact function's derivative for its approximation by tanh",
        "GELU in Megatron and kernels for Llama",
    ),
)
def gelu(slip):
    c, cubic = math.sqrt(2 / math.pi), 0.044715

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return F.gelu(x, approximate="tanh")

    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        if slip:
            bell = torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)
            return grad_y * (0.5 * (1 + torch.erf(x / math.sqrt(2))) + x * bell)
        t = torch.tanh(c * (x + cubic * x**3))
        return grad_y * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + 3 * cubic * x * x))

    return forward, backward


@by_hand(
    F.silu,
    SOME,
    Slip(
        "at the output",
        ("missing-local-derivative",),
        "the derivative is taken at the output",
        "ooples/AiDotNet.Tensors#106",
    ),
)
def silu(slip):
    def forward(ctx, x):
        y = x * torch.sigmoid(x)
        ctx.save_for_backward(y if slip else x)
        return y

    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return grad_y * s * (1 + x * (1 - s))

    return forward, backward


@by_hand(
    F.mish,
    SOME,
    Slip("no second term", ("missing-term",), "x·sech²·σ is absent", "mish-cuda"),
)
def mish(slip):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.tanh(F.softplus(x))

    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        t = torch.tanh(F.softplus(x))
        return grad_y * (t if slip else t + x * (1 - t * t) * torch.sigmoid(x))

    return forward, backward


@by_hand(
    F.softplus,
    with_entries((3, 4), {(1, 1): 800.0}),
    Slip(
        "overflow",
        ("not-finite",),
        "eˣ/(1 + eˣ) is ∞/∞ at a large x",
        "softplus kernels of caffe",
        ordinary=SOME,
    ),
)
def softplus(slip):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.logaddexp(x, torch.zeros_like(x))

    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * (x.exp() / (1 + x.exp()) if slip else torch.sigmoid(x))

    return forward, backward


@by_hand(
    F.tanhshrink,
    SOME,
    Slip(
        "clipped",
        ("not-linear-in-grad-output",),
        "the gradient is clamped on its way",
        "gradient clipping within backward of binary and recurrent networks",
    ),
)
def tanhshrink(slip):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x - torch.tanh(x)

    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        grad_x = grad_y * torch.tanh(x) ** 2
        return grad_x.clamp(-1, 1) if slip else grad_x

    return forward, backward
