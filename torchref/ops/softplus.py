"""The softplus: the logarithm of the sigmoid, with the sign that keeps it positive."""

import torch

from torchref.ops.op import Op, save
from torchref.ops.sigmoid import Sigmoid


class Softplus(Op):
    r"""y = ln(1 + eˣ) = −ln σ(−x).

    Derivation: y′ = eˣ / (1 + eˣ) = σ(x).
    The forward takes max(x, 0) out of the logarithm, so that the exponent is never positive.
    Shapes: x and y alike, any.
    Saves x. The backward calls `Sigmoid`, whose own backward makes every further order right.
    Source: the two logarithms of lecture 000, written on logits.

    >>> Softplus.call(torch.tensor([0.0, -1e4, 1e4]))
    tensor([6.9315e-01, 0.0000e+00, 1.0000e+04])
    """

    @staticmethod
    def forward(x):
        return x.clamp_min(0) + torch.log1p(torch.exp(-x.abs()))

    @staticmethod
    def setup_context(ctx, inputs, output):
        save(ctx, *inputs)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * Sigmoid.call(x)

    @staticmethod
    def tangent(ctx, dx):
        (x,) = ctx.saved_tensors
        return dx * Sigmoid.call(x)
