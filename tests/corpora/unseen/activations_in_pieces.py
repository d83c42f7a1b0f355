"""Activations that are different functions on either side of a corner."""

import torch
from torch.nn import functional as F

from tests.random_inputs import normal, normals, uniform

from .by_hand import Slip, by_hand

SOME = normals((3, 4))


@by_hand(
    lambda x, alpha: F.elu(x, alpha),
    lambda generator: (normal(generator, 3, 4), 2.0),
    Slip(
        "alpha of one",
        ("wrong-elements",),
        "y + 1 for y + α",
        "ELU by its output",
        ordinary=lambda generator: (normal(generator, 3, 4), 1.0),
    ),
)
def elu(slip):
    def forward(ctx, x, alpha):
        y = F.elu(x, alpha)
        ctx.save_for_backward(y)
        ctx.alpha = alpha
        return y

    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        below = y + (1 if slip else ctx.alpha)
        return grad_y * torch.where(y > 0, torch.ones_like(y), below), None

    return forward, backward


@by_hand(
    lambda x, slope: F.leaky_relu(x, slope),
    lambda generator: (normal(generator, 3, 4), -0.2),
    Slip(
        "negative slope",
        ("wrong-elements", "missing-local-derivative"),
        "the output's sign is not the input's where the slope is negative",
        "leaky ReLU in place in torch and inplace_abn",
        ordinary=lambda generator: (normal(generator, 3, 4), 0.2),
    ),
)
def leaky_relu(slip):
    def forward(ctx, x, slope):
        y = torch.where(x > 0, x, slope * x)
        ctx.save_for_backward(y if slip else x)
        ctx.slope = slope
        return y

    def backward(ctx, grad_y):
        (sign,) = ctx.saved_tensors
        return torch.where(sign > 0, grad_y, ctx.slope * grad_y), None

    return forward, backward


@by_hand(
    F.hardswish,
    SOME,
    Slip(
        "no half",
        ("missing-term", "wrong-elements"),
        "½ is missing in the middle piece",
        "hard-swish kernels of mmcv and tvm",
    ),
)
def hard_swish(slip):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * (x + 3).clamp(0, 6) / 6

    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        middle = x / 3 if slip else x / 3 + 0.5
        above = torch.where(x >= 3, torch.ones_like(x), middle)
        return grad_y * torch.where(x <= -3, torch.zeros_like(x), above)

    return forward, backward


@by_hand(
    lambda x: F.relu(x) ** 2,
    SOME,
    Slip("no two", ("constant-factor",), "the 2 is missing", "ReLU² in Primer and scattermoe"),
)
def relu_squared(slip):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp_min(0) ** 2

    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * x.clamp_min(0) * (1 if slip else 2)

    return forward, backward


@by_hand(
    lambda x, slope: F.prelu(x, slope),
    lambda generator: (normal(generator, 2, 3, 4), uniform(generator, 0.0, 1.0, 3)),
    Slip(
        "no mask",
        ("missing-local-derivative", "missing-term"),
        "positive entries count in the slope's gradient",
        "PReLU in frameworks of learners",
    ),
)
def prelu(slip):
    def forward(ctx, x, slope):  # (batch, channels, place), (channels,)
        ctx.save_for_backward(x, slope)
        return torch.where(x > 0, x, slope[:, None] * x)

    def backward(ctx, grad_y):
        x, slope = ctx.saved_tensors
        below = (x <= 0).to(x.dtype)
        grad_x = grad_y * torch.where(x > 0, torch.ones_like(x), slope[:, None].expand_as(x))
        return grad_x, (grad_y * x * (1 if slip else below)).sum((0, 2))

    return forward, backward
