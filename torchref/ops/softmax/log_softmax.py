"""The logarithm of the softmax."""

import torch

from torchref.ops.op import RoundedOnce
from torchref.ops.softmax.softmax import below_largest, save_output_and_dim


class LogSoftmax(RoundedOnce):
    r"""y_i = x_i − ln Σ_j exp(x_j), over the dimension `dim`.

    The largest x is subtracted first, and its own exponential, 1, is what log1p adds to the others:
    so a y near 0 keeps its digits, which torch's loses.

    Derivation: the logarithm's derivative is the softmax p = exp(y), ∂y_i/∂x_j = δ_ij − p_j, so
    ∂L/∂x = g − p Σ_i g_i with g = ∂L/∂y. It is written (1 − p) g − p (Σ_i g_i − g), for 1 − p has
    its digits in y: where g has one entry, as of a right class, nothing cancels.
    Shapes: x and y alike, any.
    Saves y, of which p is the exponential.
    Source: the logarithm in the log loss of lecture 000, for more than two classes.

    >>> LogSoftmax.call(torch.tensor([0.0, 0.0, -1e4]), -1)
    tensor([-6.9315e-01, -6.9315e-01, -1.0001e+04])
    """

    @staticmethod
    def forward(x, dim):
        below = below_largest(x, dim)
        if not x.numel():
            return below
        largest = x.argmax(dim, keepdim=True)
        others = torch.exp(below).scatter(dim, largest, 0.0)
        return below - torch.log1p(others.sum(dim, keepdim=True))

    setup_context = staticmethod(save_output_and_dim)

    @staticmethod
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        to_others = grad_y.sum(ctx.dim, keepdim=True) - grad_y
        return -torch.expm1(y) * grad_y - torch.exp(y) * to_others, None  # dim

    @staticmethod
    def tangent(ctx, dx, _):
        (y,) = ctx.saved_tensors
        return dx - (torch.exp(y) * dx).sum(ctx.dim, keepdim=True)
