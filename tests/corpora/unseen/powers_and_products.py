"""Powers, quotients, bilinear forms."""

import math

import torch
from torch.autograd.function import once_differentiable

from tests.random_inputs import leaf, normal, normals, uniform

from .by_hand import Slip, by_hand


def bases_and_exponents(generator):
    return uniform(generator, 0.2, 2.0, 3, 4), uniform(generator, 1.2, 3.0, 3, 4)


def one_zero_base(generator):
    base, exponent = bases_and_exponents(generator)
    base = base.detach()
    base[1, 2] = 0
    return leaf(base), exponent


@by_hand(
    torch.pow,
    bases_and_exponents,
    Slip(
        "logarithm of zero",
        ("not-finite",),
        "0 · log 0 in the exponent's gradient",
        "tinygrad/tinygrad#155",
        tripping=one_zero_base,
        ordinary=bases_and_exponents,
    ),
)
def power(slip):
    def forward(ctx, x, exponent):
        ctx.save_for_backward(x, exponent)
        return x**exponent

    def backward(ctx, grad_y):
        x, exponent = ctx.saved_tensors
        grad_x = grad_y * exponent * x ** (exponent - 1)
        grad_exponent = grad_y * x**exponent * x.log()
        if not slip:
            grad_x = torch.where(exponent == 0, 0, grad_x)
            grad_exponent = torch.where((x == 0) & (exponent >= 0), 0, grad_exponent)
        return grad_x, grad_exponent

    return forward, backward if slip else once_differentiable(backward)


@by_hand(
    lambda x, base: torch.pow(base, x),
    lambda generator: (uniform(generator, 0.3, 2.0, 3, 4), 2.5),
    Slip(
        "other function",
        ("missing-local-derivative",),
        "xᵇ is differentiated in the place of bˣ",
        "tenstorrent/tt-metal#52144",
    ),
)
def exponential(slip):
    def forward(ctx, x, base):
        ctx.save_for_backward(x)
        ctx.base = base
        return base**x

    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        b = ctx.base
        return grad_y * (b * x ** (b - 1) if slip else b**x * math.log(b)), None

    return forward, backward


@by_hand(
    lambda x, a, y: ((x @ a) * y).sum(-1),
    normals((4, 3), (3, 3), (4, 3)),
    Slip(
        "exchanged",
        ("swapped-arguments",),
        "the gradients of the two vectors are returned in the other order",
        "the two inputs of nn.Bilinear by hand",
    ),
)
def bilinear_form(slip):
    def forward(ctx, x, a, y):
        ctx.save_for_backward(x, a, y)
        return torch.einsum("ni,ij,nj->n", x, a, y)

    def backward(ctx, grad_z):
        x, a, y = ctx.saved_tensors
        grad_z = grad_z[:, None]
        grad_x, grad_y = grad_z * (y @ a.t()), grad_z * (x @ a)
        grad_a = (grad_z * x).t() @ y
        return (grad_y, grad_a, grad_x) if slip else (grad_x, grad_a, grad_y)

    return forward, backward


@by_hand(torch.div, lambda generator: (normal(generator, 3, 4), uniform(generator, 1.0, 2.0, 4)))
def quotient(_):
    """One side is broadcast."""

    def forward(ctx, x, divisor):
        ctx.save_for_backward(x, divisor)
        return x / divisor

    def backward(ctx, grad_y):
        x, divisor = ctx.saved_tensors
        grad_divisor = (-grad_y * x / (divisor * divisor)).sum_to_size(divisor.shape)
        return (grad_y / divisor).sum_to_size(x.shape), grad_divisor

    return forward, backward


@by_hand(torch.mul, normals((3, 4), (3, 4)))
def product_in_the_old_style(_):
    """Tensors are attributes of ctx, and arguments come by *."""

    def forward(ctx, *factors):
        ctx.x, ctx.y = factors
        return ctx.x * ctx.y

    @once_differentiable
    def backward(ctx, *grads):
        (grad,) = grads
        return grad * ctx.y, grad * ctx.x

    return forward, backward
