"""One half gates the other, one value beats the other, softmaxes."""

import math

import torch
from torch.nn import functional as F

from tests.random_inputs import normal, normals

from .by_hand import backward_of, wrong


@wrong(
    "into the inputs",
    ("mutates-input", "mutates-saved"),
    "the gradients are written over the saved inputs",
    "linkedin/Liger-Kernel#254",
)
@backward_of(lambda a, b: F.silu(a) * b, normals((3, 4), (3, 4)))
def swiglu(slip, grad_y, a, b):
    s = torch.sigmoid(a)
    grad_a, grad_b = grad_y * b * s * (1 + a * (1 - s)), grad_y * a * s
    if slip:
        return a.data.copy_(grad_a), b.data.copy_(grad_b)
    return grad_a, grad_b


def gated(x):
    a, b = x.chunk(2, -1)
    return F.gelu(a) * b


@wrong(
    "halves exchanged",
    ("swapped-arguments", "missing-local-derivative"),
    "the halves of the gradient are exchanged",
    "the order of gate and value in fused gated units",
)
@backward_of(gated, normals((3, 8)))
def geglu(slip, grad_y, x):
    a, b = x.chunk(2, -1)
    share = 0.5 * (1 + torch.erf(a / math.sqrt(2)))
    bell = torch.exp(-a * a / 2) / math.sqrt(2 * math.pi)
    halves = [grad_y * b * (share + a * bell), grad_y * a * share]
    return torch.cat(halves[::-1] if slip else halves, -1)


@wrong(
    "one mask for both",
    ("missing-local-derivative", "wrong-elements"),
    "both sides get the gradient where the first wins",
    "maximum in frameworks like tinygrad",
)
@backward_of(torch.maximum, normals((3, 4), (3, 4)), forward=lambda a, b: torch.maximum(a, b))
def maxout(slip, grad_y, a, b):
    wins = a > b
    return grad_y * wins, grad_y * (wins if slip else ~wins)


def at_temperature(temperature):
    return lambda generator: (normal(generator, 3, 4), temperature)


@wrong(
    "no temperature",
    ("constant-factor",),
    "1/τ is missing",
    "softmax with a temperature and Gumbel softmax by hand",
)
@wrong(
    "diagonal",
    ("missing-term",),
    "only the diagonal of the Jacobian: y(1 − y)",
    "softmax by learners",
    tripping=at_temperature(1.0),
)
@backward_of(lambda x, temperature: torch.softmax(x / temperature, -1), at_temperature(0.5))
def softmax_with_temperature(slip, grad_y, y, temperature):
    if slip == "diagonal":
        return grad_y * y * (1 - y) / temperature, None
    grad_z = y * (grad_y - (grad_y * y).sum(-1, keepdim=True))
    return grad_z / (1 if slip == "no temperature" else temperature), None


def gelu_of_sum(x, bias):
    z = x + bias
    return z * 0.5 * (1.0 + torch.tanh(0.7978845608028654 * z * (1 + 0.044715 * z * z)))


@backward_of(
    lambda x, bias: F.gelu(x + bias, approximate="tanh"), normals((3, 4), (4,)), forward=gelu_of_sum
)
def gelu_with_bias(_, grad_y, x, bias):
    """One tensor is the gradient of both: autograd sums it over the rows for the bias."""
    z, c = x + bias, 0.7978845608028654
    t = torch.tanh(c * z * (1 + 0.044715 * z * z))
    slope = 0.5 * z * (1 - t * t) * (c + 3 * c * 0.044715 * z * z) + 0.5 * (1 + t)
    return grad_y * slope, grad_y * slope
