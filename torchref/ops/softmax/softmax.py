"""The softmax."""

import torch
from torch import Tensor

from torchref.ops.op import RoundedOnce, save


def below_largest(x: Tensor, dim: int | tuple[int, ...]) -> Tensor:
    """x less its largest along dim, which cancels in a quotient: no exponent is positive then."""
    return x - x.amax(dim, keepdim=True) if x.numel() else x.clone()  # of nothing is no largest


def save_output_and_dim(ctx, inputs, output):
    """The `setup_context` of an op along a dimension whose derivative is written in its value."""
    _, ctx.dim = inputs
    save(ctx, output)


class Softmax(RoundedOnce):
    r"""y_i = exp(x_i) / Σ_j exp(x_j), over the dimension `dim`.

    Derivation: ∂y_i/∂x_j = y_i (δ_ij − y_j), so ∂L/∂x = y (g − Σ_j g_j y_j) with g = ∂L/∂y.
    The largest x is subtracted first, which cancels in the quotient: no exponent is positive.
    `softmax_steps` goes the long way.
    Shapes: x and y alike, any.
    Saves y: the derivative needs nothing else.
    Source: the sigmoid of lecture 000 for more than two classes.

    >>> Softmax.call(torch.tensor([0.0, 1e4, 1e4]), -1)
    tensor([0.0000, 0.5000, 0.5000])
    """

    @staticmethod
    def forward(x, dim):
        raised = torch.exp(below_largest(x, dim))
        return raised / raised.sum(dim, keepdim=True)

    setup_context = staticmethod(save_output_and_dim)

    @staticmethod
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        return y * (grad_y - (grad_y * y).sum(ctx.dim, keepdim=True)), None  # dim

    @staticmethod
    def tangent(ctx, dx, _):
        dy, _ = Softmax.backward(ctx, dx)  # the Jacobian is symmetric: J dx = Jᵀ dx
        return dy
