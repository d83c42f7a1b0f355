"""Powers, quotients, bilinear forms."""

import math

import torch
from torch.autograd.function import once_differentiable

from tests.random_inputs import leaf, normal, normals, uniform

from .by_hand import backward_of, by_hand, wrong


def bases_and_exponents(generator):
    return uniform(generator, 0.2, 2.0, 3, 4), uniform(generator, 1.2, 3.0, 3, 4)


def one_zero_base(generator):
    base, exponent = bases_and_exponents(generator)
    base = base.detach()
    base[1, 2] = 0
    return leaf(base), exponent


@wrong(
    "logarithm of zero",
    ("not-finite",),
    "0 · log 0 in the exponent's gradient",
    "tinygrad/tinygrad#155",
    tripping=one_zero_base,
    ordinary=bases_and_exponents,
)
@by_hand(torch.pow, bases_and_exponents)
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


@wrong(
    "other function",
    ("missing-local-derivative",),
    "xᵇ is differentiated in the place of bˣ",
    "tenstorrent/tt-metal#52144",
)
@backward_of(lambda x, base: base**x, lambda generator: (uniform(generator, 0.3, 2.0, 3, 4), 2.5))
def exponential(slip, grad_y, x, base):
    slope = base * x ** (base - 1) if slip else base**x * math.log(base)
    return grad_y * slope, None


@wrong(
    "exchanged",
    ("swapped-arguments",),
    "the gradients of the two vectors are returned in the other order",
    "the two inputs of nn.Bilinear by hand",
)
@backward_of(
    lambda x, a, y: ((x @ a) * y).sum(-1),
    normals((4, 3), (3, 3), (4, 3)),
    forward=lambda x, a, y: torch.einsum("ni,ij,nj->n", x, a, y),
)
def bilinear_form(slip, grad_z, x, a, y):
    grad_z = grad_z[:, None]
    grad_x, grad_y = grad_z * (y @ a.t()), grad_z * (x @ a)
    grad_a = (grad_z * x).t() @ y
    return (grad_y, grad_a, grad_x) if slip else (grad_x, grad_a, grad_y)


@backward_of(
    torch.div,
    lambda generator: (normal(generator, 3, 4), uniform(generator, 1.0, 2.0, 4)),
    forward=lambda x, divisor: x / divisor,
)
def quotient(_, grad_y, x, divisor):
    """One side is broadcast."""
    grad_divisor = (-grad_y * x / (divisor * divisor)).sum_to_size(divisor.shape)
    return (grad_y / divisor).sum_to_size(x.shape), grad_divisor


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
