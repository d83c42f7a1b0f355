"""Activations that are different functions on either side of a corner."""

import torch
from torch.nn import functional as F

from tests.random_inputs import normal, normals, uniform

from .by_hand import backward_of, wrong

SOME = normals((3, 4))


@wrong(
    "alpha of one",
    ("wrong-elements",),
    "y + 1 for y + α",
    "ELU by its output",
    ordinary=lambda generator: (normal(generator, 3, 4), 1.0),
)
@backward_of(lambda x, alpha: F.elu(x, alpha), lambda generator: (normal(generator, 3, 4), 2.0))
def elu(slip, grad_y, y, alpha):
    below = y + (1 if slip else alpha)
    return grad_y * torch.where(y > 0, torch.ones_like(y), below), None


@wrong(
    "negative slope",
    ("wrong-elements", "missing-local-derivative"),
    "the output's sign is not the input's where the slope is negative",
    "leaky ReLU in place in torch and inplace_abn",
    ordinary=lambda generator: (normal(generator, 3, 4), 0.2),
)
@backward_of(
    lambda x, slope: F.leaky_relu(x, slope),
    lambda generator: (normal(generator, 3, 4), -0.2),
    forward=lambda x, slope: torch.where(x > 0, x, slope * x),
)
def leaky_relu(slip, grad_y, x, y, slope):
    return torch.where((y if slip else x) > 0, grad_y, slope * grad_y), None


@wrong(
    "no half",
    ("missing-term", "wrong-elements"),
    "½ is missing in the middle piece",
    "hard-swish kernels of mmcv and tvm",
)
@backward_of(F.hardswish, SOME, forward=lambda x: x * (x + 3).clamp(0, 6) / 6)
def hard_swish(slip, grad_y, x):
    middle = x / 3 if slip else x / 3 + 0.5
    above = torch.where(x >= 3, torch.ones_like(x), middle)
    return grad_y * torch.where(x <= -3, torch.zeros_like(x), above)


@wrong("no two", ("constant-factor",), "the 2 is missing", "ReLU² in Primer and scattermoe")
@backward_of(lambda x: F.relu(x) ** 2, SOME, forward=lambda x: x.clamp_min(0) ** 2)
def relu_squared(slip, grad_y, x):
    return grad_y * x.clamp_min(0) * (1 if slip else 2)


@wrong(
    "no mask",
    ("missing-local-derivative", "missing-term"),
    "positive entries count in the slope's gradient",
    "PReLU in frameworks of learners",
)
@backward_of(
    lambda x, slope: F.prelu(x, slope),
    lambda generator: (normal(generator, 2, 3, 4), uniform(generator, 0.0, 1.0, 3)),
    forward=lambda x, slope: torch.where(x > 0, x, slope[:, None] * x),
)
def prelu(slip, grad_y, x, slope):  # x (batch, channels, place), slope (channels,)
    below = (x <= 0).to(x.dtype)
    grad_x = grad_y * torch.where(x > 0, torch.ones_like(x), slope[:, None].expand_as(x))
    return grad_x, (grad_y * x * (1 if slip else below)).sum((0, 2))
