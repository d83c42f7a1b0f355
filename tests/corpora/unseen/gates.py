"""One half gates the other, one value beats the other, softmaxes."""

import math

import torch
from torch.nn import functional as F

from tests.random_inputs import normal, normals

from .by_hand import Slip, by_hand


@by_hand(
    lambda a, b: F.silu(a) * b,
    normals((3, 4), (3, 4)),
    Slip(
        "into the inputs",
        ("mutates-input", "mutates-saved"),
        "the gradients are written over the saved inputs",
        "linkedin/Liger-Kernel#254",
    ),
)
def swiglu(slip):
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return F.silu(a) * b

    def backward(ctx, grad_y):
        a, b = ctx.saved_tensors
        s = torch.sigmoid(a)
        grad_a, grad_b = grad_y * b * s * (1 + a * (1 - s)), grad_y * a * s
        if slip:
            return a.data.copy_(grad_a), b.data.copy_(grad_b)
        return grad_a, grad_b

    return forward, backward


def gated(x):
    a, b = x.chunk(2, -1)
    return F.gelu(a) * b


@by_hand(
    gated,
    normals((3, 8)),
    Slip(
        "halves exchanged",
        ("swapped-arguments", "missing-local-derivative"),
        "the halves of the gradient are exchanged",
        "the order of gate and value in fused gated units",
    ),
)
def geglu(slip):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return gated(x)

    def backward(ctx, grad_y):
        a, b = ctx.saved_tensors[0].chunk(2, -1)
        share = 0.5 * (1 + torch.erf(a / math.sqrt(2)))
        bell = torch.exp(-a * a / 2) / math.sqrt(2 * math.pi)
        halves = [grad_y * b * (share + a * bell), grad_y * a * share]
        return torch.cat(halves[::-1] if slip else halves, -1)

    return forward, backward


@by_hand(
    torch.maximum,
    normals((3, 4), (3, 4)),
    Slip(
        "one mask for both",
        ("missing-local-derivative", "wrong-elements"),
        "both sides get the gradient where the first wins",
        "maximum in frameworks like tinygrad",
    ),
)
def maxout(slip):
    def forward(ctx, a, b):
        ctx.save_for_backward(a > b)
        return torch.maximum(a, b)

    def backward(ctx, grad_y):
        (wins,) = ctx.saved_tensors
        return grad_y * wins, grad_y * (wins if slip else ~wins)

    return forward, backward


def at_temperature(temperature):
    return lambda generator: (normal(generator, 3, 4), temperature)


@by_hand(
    lambda x, temperature: torch.softmax(x / temperature, -1),
    at_temperature(0.5),
    Slip(
        "no temperature",
        ("constant-factor",),
        "1/τ is missing",
        "softmax with a temperature and Gumbel softmax by hand",
    ),
    Slip(
        "diagonal",
        ("missing-term",),
        "only the diagonal of the Jacobian: y(1 − y)",
        "softmax by learners",
        tripping=at_temperature(1.0),
    ),
)
def softmax_with_temperature(slip):
    def forward(ctx, x, temperature):
        y = torch.softmax(x / temperature, -1)
        ctx.save_for_backward(y)
        ctx.temperature = temperature
        return y

    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        if slip == "diagonal":
            return grad_y * y * (1 - y) / ctx.temperature, None
        grad_z = y * (grad_y - (grad_y * y).sum(-1, keepdim=True))
        return grad_z / (1 if slip == "no temperature" else ctx.temperature), None

    return forward, backward


def gelu_of_sum(x, bias):
    z = x + bias
    return z * 0.5 * (1.0 + torch.tanh(0.7978845608028654 * z * (1 + 0.044715 * z * z)))


@by_hand(
    lambda x, bias: F.gelu(x + bias, approximate="tanh"),
    normals((3, 4), (4,)),
)
def gelu_with_bias(_):
    """One tensor is the gradient of both: autograd sums it over the rows for the bias."""

    def forward(ctx, x, bias):
        ctx.save_for_backward(x, bias)
        return gelu_of_sum(x, bias)

    def backward(ctx, grad_y):
        x, bias = ctx.saved_tensors
        z, c = x + bias, 0.7978845608028654
        t = torch.tanh(c * z * (1 + 0.044715 * z * z))
        slope = 0.5 * z * (1 - t * t) * (c + 3 * c * 0.044715 * z * z) + 0.5 * (1 + t)
        return grad_y * slope, grad_y * slope

    return forward, backward
