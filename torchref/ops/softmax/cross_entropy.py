"""The cross-entropy of probabilities, in which the softmax cancels."""

import torch
from torch import Tensor

from torchref.ops.op import RoundedOnce, save_inputs
from torchref.ops.softmax.log_softmax import LogSoftmax
from torchref.ops.softmax.softmax import Softmax


class SoftmaxCrossEntropy(RoundedOnce):
    r"""y = −Σ_i t_i ln p_i with p = softmax(x), over the last dimension.

    Derivation: ln p_i = x_i − ln Σ_j exp(x_j), so ∂y/∂x = p Σ_i t_i − t. For targets that sum
    to one this is

        ∂y/∂x = p − t:

    the softmax has cancelled the denominators of the logarithms, as ŷ (1 − ŷ) does in
    `LogLossWithLogits`. Also ∂y/∂t = −ln p. As in every entropy 0 · ln 0 is 0: a class that a
    logit of −∞ rules out costs nothing unless it is the target.
    Shapes: x and target (..., C) with C ≥ 1, y (...): one value a row. A row of target holds what
    each class weighs: a one for the right class, probabilities, or these times class weights.
    Saves x and target.
    Source: lecture 000's log loss and cancellation, for C classes.

    >>> x = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 1e4]])
    >>> SoftmaxCrossEntropy.call(x, torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]))
    tensor([1.0986e+00, 1.0000e+04])
    """

    @staticmethod
    def forward(x, target):
        return -expectation(target, LogSoftmax.call(x, -1))

    setup_context = staticmethod(save_inputs)

    @staticmethod
    def backward(ctx, grad_y):
        x, target = ctx.saved_tensors
        need_x, need_target = ctx.needs_input_grad
        grad_row = grad_y.unsqueeze(-1)
        grad_x = grad_row * logits_slope(x, target) if need_x else None
        grad_target = -grad_row * LogSoftmax.call(x, -1) if need_target else None
        return grad_x, grad_target

    @staticmethod
    def tangent(ctx, dx, dtarget):
        x, target = ctx.saved_tensors
        return (dx * logits_slope(x, target)).sum(-1) - expectation(dtarget, LogSoftmax.call(x, -1))


def logits_slope(x: Tensor, target: Tensor) -> Tensor:
    """p Σ t − t, as (p − 1) t + p (Σ t − t): of a target that is a one the p − 1 has its digits."""
    less_than_sure = torch.expm1(LogSoftmax.call(x, -1))
    return less_than_sure * target + Softmax.call(x, -1) * (target.sum(-1, keepdim=True) - target)


def expectation(target: Tensor, log_p: Tensor) -> Tensor:
    """Σ_i t_i ln p_i, without the classes that are neither wanted nor possible."""
    absent = (target == 0) & ~(log_p > -torch.inf)  # of NaN neither holds
    return torch.where(absent, 0, target * log_p).sum(-1)
