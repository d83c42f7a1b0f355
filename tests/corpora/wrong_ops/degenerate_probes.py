"""Gradients that a loose tolerance or a flat probe lets pass."""

import torch

from tests.random_inputs import normals

from .planted import at, wrong_backward
from .right_rules import Square
from .rule import gradients_of


@gradients_of(lambda x: (x * x).mean() * 1e-5)
def TinyMeanSquare(grad_y, x):
    """y = 1e-5 · mean x²."""
    return grad_y * 2e-5 * x / x.numel()


@wrong_backward(TinyMeanSquare, "missing-gradient", source="aqlaboratory/openfold-3#258")
@at(normals((5, 4)))
def tiny_mean_square_has_a_zero_gradient(grad_y, x):
    """Zero, which is within a millionth of the truth."""
    return torch.zeros_like(x) * grad_y


@gradients_of(lambda x: 1e-6 * x.sin())
def TinySin(grad_y, x):
    """y = 1e-6 sin x."""
    return 1e-6 * grad_y * x.cos()


@wrong_backward(
    TinySin, "missing-gradient", source="inside the tolerance of torch.autograd.gradcheck"
)
@at(normals((4, 3)))
def tiny_sin_has_a_zero_gradient(grad_y, x):
    """Zero where the truth is of order 1e-6."""
    return torch.zeros_like(grad_y)


def scaled_at(grad_x, position, factor):
    """grad_x with one entry, counted in row-major order, multiplied by a factor."""
    flat = torch.arange(grad_x.numel()).reshape(grad_x.shape)
    return torch.where(flat == position, factor * grad_x, grad_x)


@wrong_backward(Square, "wrong-elements", source="pytorch/pytorch#59615")
@at(normals((16, 25)))
def square_has_one_zero_in_four_hundred(grad_y, x):
    """The very first entry is zero."""
    return scaled_at(Square.gradients(grad_y, x), 0, 0.0)


@wrong_backward(Square, "wrong-elements", source="the fast mode of torch.autograd.gradcheck")
@at(normals((25, 40)))
def square_has_one_entry_of_a_thousand_doubled(grad_y, x):
    """Entry number 617 of a thousand is doubled."""
    return scaled_at(Square.gradients(grad_y, x), 617, 2.0)


@wrong_backward(Square, "wrong-elements", source="inside the tolerance of torch.autograd.gradcheck")
@at(normals((12, 15)))
def square_has_one_entry_wrong_by_one_in_ten_thousand(grad_y, x):
    """Entry number 99 is wrong by one in ten thousand."""
    return scaled_at(Square.gradients(grad_y, x), 99, 1.0001)


@gradients_of(lambda x, weight: x.softmax(-1) * weight)
def SoftmaxTimes(grad_y, x, weight):
    """y = softmax(x) * weight; with equal weights its sum is constant."""
    y = x.softmax(-1)
    grad_softmax = grad_y * weight
    grad_x = y * (grad_softmax - (grad_softmax * y).sum(-1, keepdim=True))
    return grad_x, (grad_y * y).sum_to_size(weight.shape)


@wrong_backward(SoftmaxTimes, "missing-gradient", source="pyg-team/pytorch_geometric#10809")
@at(normals((4, 5), (5,)))
def softmax_times_weight_has_a_zero_gradient_in_x(grad_y, x, weight):
    """The gradient of x is zero, as it is for equal weights and equal grad_output."""
    grad_x, grad_weight = SoftmaxTimes.gradients(grad_y, x, weight)
    return torch.zeros_like(grad_x), grad_weight
