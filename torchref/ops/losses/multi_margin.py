"""The right class is to be ahead of each other by a margin."""

import torch

from torchref.ops.losses.nll import added, picked, totals, with_instead
from torchref.ops.op import RoundedOnce, save


class MultiMargin(RoundedOnce):
    r"""y = w_t / C Σ_{j≠t} max(0, z_j)^p with z_j = m − x_t + x_j, over the last dimension.

    x is a row of scores for C classes, t the right one, m a number, the margin, p ≥ 1, and w a
    weight for each class, or 1.

    Derivation: for j ≠ t ∂y/∂x_j = s_j with s_j = w_t p / C max(0, z_j)^(p−1), and 0 where z_j ≤ 0,
    at the kink of p = 1 by torch's convention. x_t is in each term, with the other sign:
    ∂y/∂x_t = −Σ_{j≠t} s_j. And ∂y/∂w_t = y / w_t.
    Shapes: x (..., C), target (...) of class numbers, weight (C) or None, y (...).
    Saves x, target and weight.
    Source: Crammer and Singer 2001; `torch.nn.functional.multi_margin_loss`, where C divides.

    >>> MultiMargin.call(torch.tensor([[1.0, 1.5, -1.0]]), torch.tensor([1]), None, 1, 1.0)
    tensor([0.1667])
    """

    @staticmethod
    def forward(x, target, weight, p, margin):
        y = excess(x, target, margin).pow(p).sum(-1) / x.shape[-1]
        return y if weight is None else weight[target] * y

    @staticmethod
    def setup_context(ctx, inputs, output):
        *tensors, ctx.p, ctx.margin = inputs
        save(ctx, *tensors)

    @staticmethod
    def backward(ctx, grad_y):
        x, target, weight = ctx.saved_tensors
        need_x, _, need_weight, *_ = ctx.needs_input_grad
        grad_x = grad_weight = None
        if need_x:
            grad_row = grad_y if weight is None else grad_y * weight[target]
            grad_x = grad_row.unsqueeze(-1) * slope(x, target, ctx.p, ctx.margin)
        if need_weight:
            unweighed = MultiMargin.forward(x, target, None, ctx.p, ctx.margin)
            grad_weight = totals(weight, target, grad_y * unweighed)
        return grad_x, None, grad_weight, None, None  # target, p, margin

    @staticmethod
    def tangent(ctx, dx, _target, dweight, _p, _margin):
        x, target, weight = ctx.saved_tensors
        dy = (dx * slope(x, target, ctx.p, ctx.margin)).sum(-1)
        if weight is None:
            return dy
        unweighed = MultiMargin.forward(x, target, None, ctx.p, ctx.margin)
        return weight[target] * dy + dweight[target] * unweighed


def excess(x, target, margin):
    """max(0, z_j) for j ≠ t, and 0 for t."""
    z = margin - picked(x, target).unsqueeze(-1) + x
    return with_instead(torch.where(z > 0, z, 0), target, torch.zeros_like(z[..., 0]))


def slope(x, target, p, margin):
    """∂y/∂x of `MultiMargin` for a weight of 1."""
    above = excess(x, target, margin)
    others = torch.where(above > 0, above ** (p - 1), 0) * (p / x.shape[-1])
    return added(others, target, -others.sum(-1))
