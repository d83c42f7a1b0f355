"""The softmax over the last dimension, its logarithm, and the log loss in which it cancels."""

import torch
from torch import Tensor

from torchref.ops.op import Op, save_inputs, save_output


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

    setup_context = staticmethod(save_output)

    @staticmethod
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        return y * (grad_y - (grad_y * y).sum(-1, keepdim=True))

    @staticmethod
    def tangent(ctx, dx):
        return Softmax.backward(ctx, dx)  # the Jacobian is symmetric: J dx = Jᵀ dx


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

    setup_context = staticmethod(save_output)

    @staticmethod
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        return grad_y - torch.exp(y) * grad_y.sum(-1, keepdim=True)

    @staticmethod
    def tangent(ctx, dx):
        (y,) = ctx.saved_tensors
        return dx - (torch.exp(y) * dx).sum(-1, keepdim=True)


class SoftmaxCrossEntropy(Op):
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
        return -expectation(target, LogSoftmax.call(x))

    setup_context = staticmethod(save_inputs)

    @staticmethod
    def backward(ctx, grad_y):
        x, target = ctx.saved_tensors
        need_x, need_target = ctx.needs_input_grad
        grad_row = grad_y.unsqueeze(-1)
        grad_x = grad_row * logits_slope(x, target) if need_x else None
        grad_target = -grad_row * LogSoftmax.call(x) if need_target else None
        return grad_x, grad_target

    @staticmethod
    def tangent(ctx, dx, dtarget):
        x, target = ctx.saved_tensors
        return (dx * logits_slope(x, target)).sum(-1) - expectation(dtarget, LogSoftmax.call(x))


def logits_slope(x: Tensor, target: Tensor) -> Tensor:
    """∂y/∂x of `SoftmaxCrossEntropy`, differentiable again by the handwritten `Softmax`."""
    return Softmax.call(x) * target.sum(-1, keepdim=True) - target


def expectation(target: Tensor, log_p: Tensor) -> Tensor:
    """Σ_i t_i ln p_i, without the classes that are neither wanted nor possible."""
    absent = (target == 0) & ~(log_p > -torch.inf)  # of NaN neither holds
    return torch.where(absent, 0, target * log_p).sum(-1)
