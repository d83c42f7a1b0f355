"""The rectifier: the identity where it is positive, nothing elsewhere."""

import torch

from torchref.ops.op import Op, save


class ReLU(Op):
    r"""y = max(x, 0).

    Derivation: the slope is 1 for x > 0 and 0 for x < 0, and at the kink 0 by torch's
    convention. So a gradient passes whole or not at all. A NaN stays a NaN, as in torch's.
    Shapes: x and y alike, any.
    Saves y: y > 0 exactly where x > 0.
    Source: the remedy for the shortcoming that lecture 003 announces.

    >>> ReLU.call(torch.tensor([-2.0, 0.0, 3.0]))
    tensor([0., 0., 3.])
    """

    @staticmethod
    def forward(x):
        return torch.clamp_min(x, 0)

    @staticmethod
    def setup_context(ctx, inputs, output):
        save(ctx, output)

    @staticmethod
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        return torch.where(y <= 0, 0, grad_y)

    @staticmethod
    def tangent(ctx, dx):
        (y,) = ctx.saved_tensors
        return torch.where(y <= 0, 0, dx)
