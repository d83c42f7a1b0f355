"""Backward in fewer bits than forward, or with random ones."""

import math

import torch
from torch.autograd.function import once_differentiable

from tests.random_inputs import leaf, normal, normals

from .by_hand import Slip, by_hand


@by_hand(
    torch.matmul,
    normals((3, 4), (4, 5)),
    Slip(
        "bfloat16",
        ("precision-loss",),
        "backward is computed in bfloat16",
        "pytorch/pytorch#87979",
    ),
    Slip(
        "float32",
        ("precision-loss",),
        "backward is computed in float32",
        "custom_fwd(cast_inputs=torch.float32) around kernels called with float64",
    ),
    in_its_right_form=False,
)
def product(slip):
    dtype = torch.bfloat16 if slip == "bfloat16" else torch.float32

    def forward(ctx, x, weight):
        ctx.save_for_backward(x, weight)
        return x @ weight

    @once_differentiable
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        grad_y = grad_y.to(dtype)
        grad_x, grad_weight = grad_y @ weight.to(dtype).t(), x.to(dtype).t() @ grad_y
        return grad_x.to(x.dtype), grad_weight.to(weight.dtype)

    return forward, backward


@by_hand(
    torch.sin,
    normals((3, 4)),
    Slip(
        "rounded at random",
        ("nondeterministic",),
        "the gradient is rounded up or down at random",
        "recipes for gradients of 8 bits",
    ),
    in_its_right_form=False,
)
def sine_rounded_at_random(_):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sin()

    @once_differentiable
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        grad_x = grad_y * x.cos()
        return torch.floor(grad_x * 2**10 + torch.rand_like(grad_x)) / 2**10

    return forward, backward


@by_hand(
    lambda x: torch.erf(x.float()),
    lambda generator: (leaf(normal(generator, 3, 4).float()),),
)
def error_function_in_float32(_):
    """float32 within, and so is the output."""

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.erf(x.float())

    @once_differentiable
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        slope = 2 / math.sqrt(math.pi) * torch.exp(-(x.float() ** 2))
        return (grad_y * slope).to(x.dtype)

    return forward, backward
