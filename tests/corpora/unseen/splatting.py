"""Splats: their shape, their place in the image, and what lies behind them."""

import torch

from tests.random_inputs import leaf, normal, normals, number, uniform

from .by_hand import backward_of, wrong


def density(conic, offset):
    (a, b, c), (x, y) = conic.unbind(-1), offset.unbind(-1)
    return torch.exp(-0.5 * (a * x * x + c * y * y) - b * x * y)


@wrong(
    "half off the diagonal",
    ("wrong-elements", "constant-factor"),
    "the entry off the diagonal gets half its gradient",
    "graphdeco-inria/diff-gaussian-rasterization#94",
)
@backward_of(
    density, lambda generator: (uniform(generator, 0.0, 1.0, 6, 3), normal(generator, 6, 2))
)
def gaussian(slip, grad_y, conic, offset, y):
    (a, b, c), (u, v), k = conic.unbind(-1), offset.unbind(-1), grad_y * y
    mixed = -0.5 if slip else -1
    grad_conic = torch.stack([-0.5 * u * u * k, mixed * u * v * k, -0.5 * v * v * k], -1)
    return grad_conic, torch.stack([-(a * u + b * v) * k, -(c * v + b * u) * k], -1)


def composited(alpha, colour):
    light, y = torch.ones_like(alpha[0]), 0
    for a, c in zip(alpha, colour, strict=True):
        y = y + light * a * c
        light = light * (1 - a)
    return y


def translucent(generator):
    return uniform(generator, 0.1, 0.9, 4, 3), normal(generator, 4, 3)


def one_opaque(generator):
    alpha, colour = translucent(generator)
    alpha = alpha.detach()
    alpha[2, 1] = 1.0
    return leaf(alpha), colour


def front_to_back_forward(alpha, colour):
    lights = [torch.ones_like(alpha[0])]
    y = torch.zeros_like(colour[0])
    for a, c in zip(alpha, colour, strict=True):
        y = y + lights[-1] * a * c
        lights.append(lights[-1] * (1 - a))
    return y, {"lights": torch.stack(lights)}


@wrong(
    "nothing behind",
    ("missing-term",),
    "α's gradient lacks what α hides",
    "VITA-Group/FSGS#16",
    tripping=translucent,
)
@wrong(
    "division",
    ("not-finite",),
    "the light before a splat is recovered by a division by 1 − α, which is 0",
    "why Gaussian splatting caps α at 0.99",
    ordinary=translucent,
)
@backward_of(composited, one_opaque, forward=front_to_back_forward, once=True)
def front_to_back(slip, grad_y, alpha, colour, lights):
    """y = Σ lightᵢ αᵢ cᵢ with lightᵢ₊₁ = lightᵢ (1 − αᵢ)."""
    grad_alpha, grad_colour = torch.zeros_like(alpha), torch.zeros_like(colour)
    light, behind = lights[-1], torch.zeros_like(grad_y)
    for i in reversed(range(len(alpha))):
        light = light / (1 - alpha[i]) if slip == "division" else lights[i]
        hidden = 0 if slip == "nothing behind" else behind
        grad_alpha[i] = grad_y * light * (colour[i] - hidden)
        grad_colour[i] = grad_y * light * alpha[i]
        behind = alpha[i] * colour[i] + (1 - alpha[i]) * behind
    return grad_alpha, grad_colour


def points_before_the_camera(generator):
    beside, depth = normal(generator, 5, 2), uniform(generator, 1.0, 3.0, 5, 1)
    return leaf(torch.cat([beside, depth], 1)), number(1.3)


@wrong(
    "no depth",
    ("missing-term", "missing-gradient", "wrong-elements"),
    "the depth gets no gradient from x/z and y/z",
    "ashawkey/diff-gaussian-rasterization#4",
)
@backward_of(lambda point, focal: focal * point[:, :2] / point[:, 2:], points_before_the_camera)
def projection(slip, grad_y, point, focal):
    beside, depth = point[:, :2], point[:, 2:]
    grad_beside = focal * grad_y / depth
    grad_depth = -(grad_beside * beside / depth).sum(-1, keepdim=True)
    if slip:
        grad_depth = torch.zeros_like(depth)
    return torch.cat([grad_beside, grad_depth], -1), (grad_y * beside / depth).sum()


@wrong(
    "absolute value",
    ("not-linear-in-grad-output",),
    "the gradient's absolute value is returned in its place",
    "openvdb/fvdb-core#355",
)
@backward_of(lambda x, scale: torch.sin(x) * scale, normals((4, 3), (4, 3)), right=False)
def wave(slip, grad_y, x, scale):
    grad_x = grad_y * scale * torch.cos(x)
    return grad_x.abs() if slip else grad_x, grad_y * torch.sin(x)
