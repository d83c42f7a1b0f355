"""The Kullback-Leibler divergence, entry by entry."""

import torch

from torchref.ops.op import RoundedOnce, save


class KLDivergence(RoundedOnce):
    r"""y = t (ln t − x) for a logarithm x of chances, and e^s (s − x) where s = ln t is given.

    Derivation: ∂y/∂x = −t, and ∂y/∂t = ln t + 1 − x. Of s it is ∂y/∂s = t (s − x + 1), by the chain
    rule. As in every entropy 0 · ln 0 is 0, whatever x is: what is never meant costs nothing.
    Shapes: x, target and y alike, any. target is t, or s where `log_target` is True.
    Saves x and target.
    Source: Kullback and Leibler 1951; `torch.nn.functional.kl_div`.

    >>> KLDivergence.call(torch.tensor([0.0, -1.0]), torch.tensor([0.0, 1.0]), False)
    tensor([0., 1.])
    """

    @staticmethod
    def forward(x, target, log_target):
        if log_target:
            return times(target.exp(), target - x)
        return times(target, target.log() - x)

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, target, ctx.log_target = inputs
        save(ctx, x, target)

    @staticmethod
    def backward(ctx, grad_y):
        x, target = ctx.saved_tensors
        need_x, need_target, _ = ctx.needs_input_grad
        slope, target_slope = slopes(x, target, ctx.log_target)
        grad_x = grad_y * slope if need_x else None
        return grad_x, grad_y * target_slope if need_target else None, None  # log_target

    @staticmethod
    def tangent(ctx, dx, dtarget, _):
        x, target = ctx.saved_tensors
        slope, target_slope = slopes(x, target, ctx.log_target)
        return dx * slope + dtarget * target_slope


def times(t, excess):
    """t (ln t − x), and 0 where t is 0."""
    return torch.where(t == 0, 0, t * excess)


def slopes(x, target, log_target):
    """∂y/∂x and ∂y/∂t."""
    if log_target:
        t = target.exp()
        return -t, times(t, target - x + 1)
    return -target, target.log() + 1 - x
