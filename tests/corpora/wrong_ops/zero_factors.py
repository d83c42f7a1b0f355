"""Division by a factor that may be zero."""

from dataclasses import replace

import torch
from torch.nn import functional as F

from tests.random_inputs import followed_by, leaf, normal, normals, with_entries

from .planted import at, wrong_backward
from .right_rules import Multiply, Power
from .rule import gradients_of


def product_of_others(x):
    """For each entry, the product of all other entries of its row."""
    size = x.shape[-1]
    before = F.pad(x, (1, 0), value=1).cumprod(-1)[..., :size]
    after = F.pad(x, (0, 1), value=1).flip(-1).cumprod(-1).flip(-1)[..., 1:]
    return before * after


@gradients_of(lambda x: x.prod(-1))
def ProductLast(grad_y, x):
    """y = product over the last dimension."""
    return grad_y.unsqueeze(-1) * product_of_others(x)


@wrong_backward(ProductLast, "not-finite", source="tinygrad/tinygrad#17404")
@at(normals((4, 5)), tripping=with_entries((4, 5), {(1, 2): 0}))
def product_divides_by_one_zero(grad_y, x):
    """y / x in place of the product of the others."""
    return (grad_y * x.prod(-1)).unsqueeze(-1) / x


product_divides_by_two_zeros = replace(
    product_divides_by_one_zero,
    name="product divides by two zeros",
    ordinary=normals((3, 5)),
    tripping=with_entries((3, 5), {(1, 0): 0, (1, 3): 0}),
    source="pytorch/pytorch#773",
)


@gradients_of(lambda x: x.cumprod(-1))
def CumulativeProduct(grad_y, x):
    """y[k] = x[0] · … · x[k]."""
    diagonal = torch.eye(x.shape[-1], dtype=torch.bool)
    without_own = torch.where(diagonal, 1, x.unsqueeze(-2)).cumprod(-1).triu()
    return (without_own @ grad_y.unsqueeze(-1)).squeeze(-1)


@wrong_backward(CumulativeProduct, "not-finite", source="pymc-devs/pytensor#1911")
@at(normals((4, 6)), tripping=with_entries((4, 6), {(2, 3): 0}))
def cumulative_product_divides_by_a_zero(grad_y, x):
    """A reversed cumulative sum divided by x."""
    return (grad_y * x.cumprod(-1)).flip(-1).cumsum(-1).flip(-1) / x


def one_zero_factor(generator):
    left = normal(generator, 4, 5).detach()
    left[2, 3] = 0
    return leaf(left), normal(generator, 4, 5)


@wrong_backward(Multiply, "not-finite", source="torch/nn#170")
@at(normals((4, 5), (4, 5)), tripping=one_zero_factor)
def product_of_two_divides_by_a_zero_factor(grad_y, left, right):
    """y / left and y / right in place of the other factor."""
    y = left * right
    return grad_y * y / left, grad_y * y / right


@wrong_backward(Power, "not-finite", source="torch/DEPRECEATED-torch7-distro#60")
@at(followed_by(normals((3, 4)), 3), tripping=followed_by(with_entries((3, 4), {(0, 1): 0}), 3))
def power_divides_by_a_zero_base(grad_y, x, exponent):
    """exponent · y / x."""
    return grad_y * exponent * x**exponent / x, None
