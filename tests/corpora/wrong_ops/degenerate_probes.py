"""Gradients that a loose tolerance or a flat probe lets pass."""

import torch

from tests.random_inputs import normals

from .planted import wrong_backward
from .right_rules import Square
from .rule import Rule


class TinyMeanSquare(Rule):
    """y = 1e-5 · mean x²."""

    @staticmethod
    def forward(x):
        return (x * x).mean() * 1e-5

    @staticmethod
    def gradients(grad_y, x):
        return grad_y * 2e-5 * x / x.numel()


@wrong_backward(
    TinyMeanSquare, "missing-gradient", inputs=normals((5, 4)), source="aqlaboratory/openfold-3#258"
)
def tiny_mean_square_has_a_zero_gradient(grad_y, x):
    """Zero, which is within a millionth of the truth."""
    return torch.zeros_like(x) * grad_y


class TinySin(Rule):
    """y = 1e-6 sin x."""

    @staticmethod
    def forward(x):
        return 1e-6 * x.sin()

    @staticmethod
    def gradients(grad_y, x):
        return 1e-6 * grad_y * x.cos()


@wrong_backward(
    TinySin,
    "missing-gradient",
    inputs=normals((4, 3)),
    source="inside the tolerance of torch.autograd.gradcheck",
)
def tiny_sin_has_a_zero_gradient(grad_y, x):
    """Zero where the truth is of order 1e-6."""
    return torch.zeros_like(grad_y)


def scaled_at(grad_x, position, factor):
    """grad_x with one entry, counted in row-major order, multiplied by a factor."""
    flat = torch.arange(grad_x.numel()).reshape(grad_x.shape)
    return torch.where(flat == position, factor * grad_x, grad_x)


@wrong_backward(Square, "wrong-elements", inputs=normals((16, 25)), source="pytorch/pytorch#59615")
def square_has_one_zero_in_four_hundred(grad_y, x):
    """The very first entry is zero."""
    return scaled_at(Square.gradients(grad_y, x), 0, 0.0)


@wrong_backward(
    Square,
    "wrong-elements",
    inputs=normals((25, 40)),
    source="the fast mode of torch.autograd.gradcheck",
)
def square_has_one_entry_of_a_thousand_doubled(grad_y, x):
    """Entry number 617 of a thousand is doubled."""
    return scaled_at(Square.gradients(grad_y, x), 617, 2.0)


@wrong_backward(
    Square,
    "wrong-elements",
    inputs=normals((12, 15)),
    source="inside the tolerance of torch.autograd.gradcheck",
)
def square_has_one_entry_wrong_by_one_in_ten_thousand(grad_y, x):
    """Entry number 99 is wrong by one in ten thousand."""
    return scaled_at(Square.gradients(grad_y, x), 99, 1.0001)


class SoftmaxTimes(Rule):
    """y = softmax(x) * weight; with equal weights its sum is constant."""

    @staticmethod
    def forward(x, weight):
        return x.softmax(-1) * weight

    @staticmethod
    def gradients(grad_y, x, weight):
        y = x.softmax(-1)
        grad_softmax = grad_y * weight
        grad_x = y * (grad_softmax - (grad_softmax * y).sum(-1, keepdim=True))
        return grad_x, (grad_y * y).sum_to_size(weight.shape)


@wrong_backward(
    SoftmaxTimes,
    "missing-gradient",
    inputs=normals((4, 5), (5,)),
    source="pyg-team/pytorch_geometric#10809",
)
def softmax_times_weight_has_a_zero_gradient_in_x(grad_y, x, weight):
    """The gradient of x is zero, as it is for equal weights and equal grad_output."""
    grad_x, grad_weight = SoftmaxTimes.gradients(grad_y, x, weight)
    return torch.zeros_like(grad_x), grad_weight
