"""Losses that are a hinge: nothing beyond a margin, and a straight line before it."""

import torch

from torchref.ops.op import RoundedOnce, save


class HingeEmbedding(RoundedOnce):
    r"""y = x where the target is 1, and max(0, m − x) where it is −1, with a number m, the margin.

    x is a distance: of what belongs together it is the loss itself, of what does not it is enough
    to be m apart. By torch's convention any other target counts for both, and y is their sum.

    Derivation: ∂y/∂x is 1 where the target is 1. Where it is −1 it is −1 for x ≤ m, at the kink by
    torch's convention, and 0 beyond. Of the target, a label, there is no derivative.
    Shapes: x, target and y alike, any.
    Saves x and target.
    Source: `torch.nn.functional.hinge_embedding_loss`.

    >>> HingeEmbedding.call(torch.tensor([0.2, 0.2, 3.0]), torch.tensor([1, -1, -1]), 1.0)
    tensor([0.2000, 0.8000, 0.0000])
    """

    @staticmethod
    def forward(x, target, margin):
        together = torch.where(target == -1, 0, x)
        apart = torch.where(target == 1, 0, (margin - x).clamp_min(0))
        return together + apart

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, target, ctx.margin = inputs
        save(ctx, x, target)

    @staticmethod
    def backward(ctx, grad_y):
        x, target = ctx.saved_tensors
        return differential(grad_y, x, target, ctx.margin), None, None  # target, margin

    @staticmethod
    def tangent(ctx, dx, _target, _margin):
        x, target = ctx.saved_tensors
        return differential(dx, x, target, ctx.margin)


def differential(dx, x, target, margin):
    """∂y/∂x dx of `HingeEmbedding`."""
    together = torch.where(target == -1, 0, dx)
    return together - torch.where((target != 1) & (margin - x >= 0), dx, 0)


class MarginRanking(RoundedOnce):
    r"""y = max(0, m − t (x − x′)), with a number m, the margin: for t = 1 x is to be the larger.

    Derivation: with the slack s = m − t (x − x′), for s ≥ 0, at the kink by torch's convention,
        ∂y/∂x = −t = −∂y/∂x′ and ∂y/∂t = x′ − x,
    and all are 0 for s < 0.
    Shapes: x, other (which is x′), target and y alike, any.
    Saves x, other and target.
    Source: `torch.nn.functional.margin_ranking_loss`; Joachims 2002 ranks by such pairs.

    >>> one = torch.ones(2)
    >>> MarginRanking.call(torch.tensor([2.0, 0.5]), one, one, 0.0)
    tensor([0.0000, 0.5000])
    """

    @staticmethod
    def forward(x, other, target, margin):
        return slack(x, other, target, margin).clamp_min(0)

    @staticmethod
    def setup_context(ctx, inputs, output):
        *tensors, ctx.margin = inputs
        save(ctx, *tensors)

    @staticmethod
    def backward(ctx, grad_y):
        x, other, target = ctx.saved_tensors
        need_x, need_other, need_target, _ = ctx.needs_input_grad
        grad_slack = torch.where(slack(x, other, target, ctx.margin) >= 0, grad_y, 0)
        grad_x = -target * grad_slack
        grad_target = (other - x) * grad_slack if need_target else None
        return grad_x if need_x else None, -grad_x if need_other else None, grad_target, None

    @staticmethod
    def tangent(ctx, dx, dother, dtarget, _):
        x, other, target = ctx.saved_tensors
        dslack = (other - x) * dtarget - target * (dx - dother)
        return torch.where(slack(x, other, target, ctx.margin) >= 0, dslack, 0)


def slack(x, other, target, margin):
    """What `MarginRanking` lacks of the margin."""
    return margin - target * (x - other)
