"""Backward in fewer bits than forward, or with random ones."""

import math

import torch

from tests.random_inputs import leaf, normal, normals

from .by_hand import backward_of, wrong


@wrong("bfloat16", ("precision-loss",), "backward is computed in bfloat16", "pytorch/pytorch#87979")
@wrong(
    "float32",
    ("precision-loss",),
    "backward is computed in float32",
    "custom_fwd(cast_inputs=torch.float32) around kernels called with float64",
)
@backward_of(lambda x, weight: x @ weight, normals((3, 4), (4, 5)), once=True, right=False)
def product(slip, grad_y, x, weight):
    dtype = torch.bfloat16 if slip == "bfloat16" else torch.float32
    grad_y = grad_y.to(dtype)
    grad_x, grad_weight = grad_y @ weight.to(dtype).t(), x.to(dtype).t() @ grad_y
    return grad_x.to(x.dtype), grad_weight.to(weight.dtype)


@wrong(
    "rounded at random",
    ("nondeterministic",),
    "the gradient is rounded up or down at random",
    "recipes for gradients of 8 bits",
)
@backward_of(torch.sin, normals((3, 4)), forward=lambda x: x.sin(), once=True, right=False)
def sine_rounded_at_random(_, grad_y, x):
    grad_x = grad_y * x.cos()
    return torch.floor(grad_x * 2**10 + torch.rand_like(grad_x)) / 2**10


@backward_of(
    lambda x: torch.erf(x.float()),
    lambda generator: (leaf(normal(generator, 3, 4).float()),),
    once=True,
)
def error_function_in_float32(_, grad_y, x):
    """float32 within, and so is the output."""
    slope = 2 / math.sqrt(math.pi) * torch.exp(-(x.float() ** 2))
    return (grad_y * slope).to(x.dtype)
