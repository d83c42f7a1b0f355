"""Dropout: entries left out at random, and the others made larger for it."""

import torch

from torchref.ops.op import Op, save


class Dropout(Op):
    r"""y = x / (1 − p) where mask holds, and 0 elsewhere: a mask drawn with the chance 1 − p.

    Derivation: the mask is drawn, and does not depend on x. So ∂L/∂x = ∂L/∂y / (1 − p) where the
    mask holds, and 0 elsewhere: by the same mask, which is no other than that of the forward. The
    expectation of y is x, which is why nothing is left to do in evaluation.
    For an x of lower precision 1 / (1 − p) is rounded first, as in torch's, whose zeros are
    products: an infinite entry that is left out is NaN there and 0 here.
    Shapes: x and y alike, any; mask of booleans, broadcastable to x; p in [0, 1).
    Saves mask: the map is linear, so that x is in no derivative.
    Source: Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from
    Overfitting".

    >>> Dropout.call(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([True, False, True]), 0.5)
    tensor([2., 0., 6.])
    """

    @staticmethod
    def forward(x, mask, p):
        scale = torch.ones((), dtype=x.dtype, device=x.device).div(1 - p)
        return torch.where(mask, x * scale, 0)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _, mask, ctx.p = inputs
        save(ctx, mask)

    @staticmethod
    def backward(ctx, grad_y):
        (mask,) = ctx.saved_tensors
        return Dropout.call(grad_y, mask, ctx.p), None, None  # mask, p

    @staticmethod
    def tangent(ctx, dx, _mask, _p):
        (mask,) = ctx.saved_tensors
        return Dropout.call(dx, mask, ctx.p)
