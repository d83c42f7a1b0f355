"""Division by a factor that may be zero."""

import torch
from torch.nn import functional as F

from .boundary_values import not_finite_bug
from .planted import SavesInputs, leaf, normal, normals, with_entries


def product_of_others(x):
    """For each entry, the product of all other entries of its row."""
    size = x.shape[-1]
    before = F.pad(x, (1, 0), value=1).cumprod(-1)[..., :size]
    after = F.pad(x, (0, 1), value=1).flip(-1).cumprod(-1).flip(-1)[..., 1:]
    return before * after


class ProductLast(SavesInputs):
    """y = product over the last dimension."""

    @staticmethod
    def forward(x):
        return x.prod(-1)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y.unsqueeze(-1) * product_of_others(x)


class ProductLastOverX(ProductLast):
    """y / x in place of the product of the others."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return (grad_y * x.prod(-1)).unsqueeze(-1) / x


class CumulativeProduct(SavesInputs):
    """y[k] = x[0] · … · x[k]."""

    @staticmethod
    def forward(x):
        return x.cumprod(-1)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        diagonal = torch.eye(x.shape[-1], dtype=torch.bool)
        without_own = torch.where(diagonal, 1, x.unsqueeze(-2)).cumprod(-1).triu()
        return (without_own @ grad_y.unsqueeze(-1)).squeeze(-1)


class CumulativeProductOverX(CumulativeProduct):
    """A reversed cumulative sum divided by x."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return (grad_y * x.cumprod(-1)).flip(-1).cumsum(-1).flip(-1) / x


class Multiply(SavesInputs):
    """y = left * right."""

    @staticmethod
    def forward(left, right):
        return left * right

    @staticmethod
    def backward(ctx, grad_y):
        left, right = ctx.saved_tensors
        return (grad_y * right).sum_to_size(left.shape), (grad_y * left).sum_to_size(right.shape)


class MultiplyByDividing(Multiply):
    """y / left and y / right in place of the other factor."""

    @staticmethod
    def backward(ctx, grad_y):
        left, right = ctx.saved_tensors
        y = left * right
        return grad_y * y / left, grad_y * y / right


class Power(SavesInputs):
    """y = x to a fixed exponent."""

    @staticmethod
    def forward(x, exponent):
        return x**exponent

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        (exponent,) = ctx.options
        return grad_y * exponent * x ** (exponent - 1), None


class PowerByDividing(Power):
    """exponent · y / x."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        (exponent,) = ctx.options
        return grad_y * exponent * x**exponent / x, None


def one_zero_factor(generator):
    left = normal(generator, 4, 5).detach()
    left[2, 3] = 0
    return leaf(left), normal(generator, 4, 5)


def to_the_third(draw):
    def with_exponent(generator):
        return (*draw(generator), 3)

    return with_exponent


BUGS = (
    not_finite_bug(
        "product divides by one zero",
        ProductLastOverX,
        ProductLast,
        lambda x: x.prod(-1),
        normals((4, 5)),
        with_entries((4, 5), {(1, 2): 0}),
        "tinygrad/tinygrad#17404",
    ),
    not_finite_bug(
        "product divides by two zeros",
        ProductLastOverX,
        ProductLast,
        lambda x: x.prod(-1),
        normals((3, 5)),
        with_entries((3, 5), {(1, 0): 0, (1, 3): 0}),
        "pytorch/pytorch#773",
    ),
    not_finite_bug(
        "cumulative product divides by a zero",
        CumulativeProductOverX,
        CumulativeProduct,
        lambda x: x.cumprod(-1),
        normals((4, 6)),
        with_entries((4, 6), {(2, 3): 0}),
        "pymc-devs/pytensor#1911",
    ),
    not_finite_bug(
        "product of two divides by a zero factor",
        MultiplyByDividing,
        Multiply,
        torch.mul,
        normals((4, 5), (4, 5)),
        one_zero_factor,
        "torch/nn#170",
    ),
    not_finite_bug(
        "power divides by a zero base",
        PowerByDividing,
        Power,
        torch.pow,
        to_the_third(normals((3, 4))),
        to_the_third(with_entries((3, 4), {(0, 1): 0})),
        "torch/DEPRECEATED-torch7-distro#60",
    ),
)
