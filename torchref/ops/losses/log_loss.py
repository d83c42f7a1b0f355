"""The log loss, of a probability and of its logit."""

import torch
from torch import Tensor

from torchref.ops.activations.sigmoid import Sigmoid, softplus
from torchref.ops.op import Op, RoundedOnce, save_inputs

EPS = 9.999999960041972e-13  # 1e-12, which torch's losses keep in float32


def log_chances(x: Tensor) -> tuple[Tensor, Tensor]:
    """ln(1 − x) and ln x, neither below −100: a certain and wrong answer costs 100, not ∞."""
    return torch.log1p(-x).clamp_min(-100), torch.log(x).clamp_min(-100)


def spread(x: Tensor) -> Tensor:
    """x (1 − x), not below what torch divides by."""
    return (x * (1 - x)).clamp_min(EPS)


class LogLoss(Op):
    r"""y = −t ln x − (1 − t) ln(1 − x), for a probability x (the lecture's ŷ) and a target t.

    Derivation: ∂y/∂x = −t/x + (1 − t)/(1 − x) = (x − t) / (x (1 − x)), and
    ∂y/∂t = ln(1 − x) − ln x. At x = 0 and x = 1 a logarithm is infinite and a denominator 0. There
    value and slope are those of `torch.nn.functional.binary_cross_entropy`: logarithms stop at
    −100, and x (1 − x) at 1e-12. That slope is a convention and not the derivative of the value.
    The slope in t is the derivative of the value also there, ±100, where torch answers ±∞.
    Shapes: x, target and y alike, any.
    Saves x and target.
    Source: lecture 000.

    >>> LogLoss.call(torch.tensor([0.5, 0.0]), torch.tensor([1.0, 1.0]))
    tensor([  0.6931, 100.0000])
    """

    @staticmethod
    def forward(x, target):
        return -torch.lerp(*log_chances(x), target)  # (1 − t) ln(1 − x) + t ln x in one pass

    setup_context = staticmethod(save_inputs)

    @staticmethod
    def backward(ctx, grad_y):
        x, target = ctx.saved_tensors
        need_x, need_target = ctx.needs_input_grad
        grad_x = grad_y * (x - target) / spread(x) if need_x else None
        grad_target = grad_y * torch.sub(*log_chances(x)) if need_target else None
        return grad_x, grad_target

    @staticmethod
    def tangent(ctx, dx, dtarget):
        x, target = ctx.saved_tensors
        return dx * ((x - target) / spread(x)) + dtarget * torch.sub(*log_chances(x))


class LogLossWithLogits(RoundedOnce):
    r"""y = −p t ln σ(x) − (1 − t) ln(1 − σ(x)), with a factor p for the positive targets, or 1.

    Derivation: −ln σ(x) = softplus(−x) has the slope σ(x) − 1, and −ln(1 − σ(x)) = softplus(x)
    the slope σ(x). So ∂y/∂x = p t (σ(x) − 1) + (1 − t) σ(x), which for p = 1 is

        ∂y/∂x = σ(x) − t = ŷ − t:

    the σ′ = ŷ (1 − ŷ) of the last neuron has cancelled the denominator of the log loss, and
    nothing is left that could overflow.
    Also ∂y/∂t = p softplus(−x) − softplus(x), −x for p = 1, and ∂y/∂p = t softplus(−x).
    Shapes: x, target and y alike, any; pos_weight broadcastable to them, or None for 1.
    Saves x, target and pos_weight.
    Source: lecture 000, where the cancellation is a result of its own; 004 for (ŷ − y).

    >>> LogLossWithLogits.call(torch.tensor([0.0, -1e4]), torch.tensor([1.0, 1.0]), None)
    tensor([6.9315e-01, 1.0000e+04])
    """

    @staticmethod
    def forward(x, target, pos_weight):
        positive = target if pos_weight is None else pos_weight * target
        return positive * softplus(-x) + (1 - target) * softplus(x)

    setup_context = staticmethod(save_inputs)

    @staticmethod
    def backward(ctx, grad_y):
        x, target, pos_weight = ctx.saved_tensors
        need_x, need_target, need_pos_weight = ctx.needs_input_grad
        grad_x = grad_y * logits_slope(x, target, pos_weight) if need_x else None
        grad_target = grad_y * target_slope(x, pos_weight) if need_target else None
        grad_pos_weight = None
        if need_pos_weight:
            grad_pos_weight = (grad_y * target * softplus(-x)).sum_to_size(pos_weight.shape)
        return grad_x, grad_target, grad_pos_weight

    @staticmethod
    def tangent(ctx, dx, dtarget, dpos_weight):
        x, target, pos_weight = ctx.saved_tensors
        dy = dx * logits_slope(x, target, pos_weight) + dtarget * target_slope(x, pos_weight)
        return dy if pos_weight is None else dy + dpos_weight * target * softplus(-x)


def logits_slope(x: Tensor, target: Tensor, pos_weight: Tensor | None) -> Tensor:
    """∂y/∂x of `LogLossWithLogits`, differentiable again by the handwritten `Sigmoid`."""
    probability = Sigmoid.call(x)
    if pos_weight is None:
        return probability - target
    return pos_weight * target * (probability - 1) + (1 - target) * probability


def target_slope(x: Tensor, pos_weight: Tensor | None) -> Tensor:
    """∂y/∂t of `LogLossWithLogits`."""
    return -x if pos_weight is None else pos_weight * softplus(-x) - softplus(x)
