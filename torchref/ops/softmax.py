"""The softmax over the last dimension, and its logarithm."""

import torch

from torchref.ops.op import Op, save


class Softmax(Op):
    r"""y_i = exp(x_i) / Σ_j exp(x_j), over the last dimension.

    Derivation: ∂y_i/∂x_j = y_i (δ_ij − y_j), so ∂L/∂x = y (g − Σ_j g_j y_j) with g = ∂L/∂y.
    The largest x is subtracted first, which cancels in the quotient: no exponent is positive.
    Shapes: x and y alike, (..., C) with C ≥ 1.
    Saves y: the derivative needs nothing else.
    Source: the sigmoid of lecture 000 for more than two classes.

    >>> Softmax.call(torch.tensor([0.0, 1e4, 1e4]))
    tensor([0.0000, 0.5000, 0.5000])
    """

    @staticmethod
    def forward(x):
        raised = torch.exp(x - x.amax(-1, keepdim=True))
        return raised / raised.sum(-1, keepdim=True)

    @staticmethod
    def setup_context(ctx, inputs, output):
        save(ctx, output)

    @staticmethod
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        return y * (grad_y - (grad_y * y).sum(-1, keepdim=True))

    @staticmethod
    def tangent(ctx, dx):
        (y,) = ctx.saved_tensors
        return y * (dx - (dx * y).sum(-1, keepdim=True))


class LogSoftmax(Op):
    r"""y_i = x_i − ln Σ_j exp(x_j), over the last dimension.

    Derivation: the logarithm's derivative is the softmax p = exp(y), ∂y_i/∂x_j = δ_ij − p_j, so
    ∂L/∂x = g − p Σ_i g_i with g = ∂L/∂y.
    Shapes: x and y alike, (..., C) with C ≥ 1.
    Saves y, of which p is the exponential.
    Source: the logarithm in the log loss of lecture 000, for more than two classes.

    >>> LogSoftmax.call(torch.tensor([0.0, 0.0, -1e4]))
    tensor([-6.9315e-01, -6.9315e-01, -1.0001e+04])
    """

    @staticmethod
    def forward(x):
        below = x - x.amax(-1, keepdim=True)
        return below - torch.exp(below).sum(-1, keepdim=True).log()

    @staticmethod
    def setup_context(ctx, inputs, output):
        save(ctx, output)

    @staticmethod
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        return grad_y - torch.exp(y) * grad_y.sum(-1, keepdim=True)

    @staticmethod
    def tangent(ctx, dx):
        (y,) = ctx.saved_tensors
        return dx - (torch.exp(y) * dx).sum(-1, keepdim=True)
