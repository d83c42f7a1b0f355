"""Losses, entry by entry, and how one value is made of them: there lectures and torch differ."""

import torch
from torch import Tensor

from torchref.ops.activations import Sigmoid, softplus
from torchref.ops.op import Op, save, save_inputs


def log_chances(x: Tensor) -> tuple[Tensor, Tensor]:
    """ln(1 − x) and ln x, neither below −100: a certain and wrong answer costs 100, not ∞."""
    return torch.log1p(-x).clamp_min(-100), torch.log(x).clamp_min(-100)


def spread(x: Tensor) -> Tensor:
    """x (1 − x), not below what torch divides by: 1e-12, which its kernels keep in float32."""
    return (x * (1 - x)).clamp_min(9.999999960041972e-13)


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


class LogLossWithLogits(Op):
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


class SquaredError(Op):
    r"""y = (x − t)², with the target t, entry by entry.

    Derivation: ∂y/∂x = 2 (x − t) = −∂y/∂t.
    Shapes: x, target and y alike, any.
    Saves x and target.
    Source: lecture 002; lecture 003 halves it, see `Reduction`.

    >>> SquaredError.call(torch.tensor([0.7153]), torch.tensor([0.25]))
    tensor([0.2165])
    """

    @staticmethod
    def forward(x, target):
        return (x - target) ** 2

    setup_context = staticmethod(save_inputs)

    @staticmethod
    def backward(ctx, grad_y):
        x, target = ctx.saved_tensors
        need_x, need_target = ctx.needs_input_grad
        grad_x = (2 * grad_y) * (x - target)  # a Reduction's grad_y is one number: doubled at once
        return grad_x if need_x else None, -grad_x if need_target else None

    @staticmethod
    def tangent(ctx, dx, dtarget):
        x, target = ctx.saved_tensors
        return 2 * (x - target) * (dx - dtarget)


REDUCTIONS = ("none", "sum", "mean", "half_sum", "half_mean")


def divisor(entries: int, reduction: str) -> int:
    """The d of the table in `Reduction`."""
    return {"mean": entries, "half_sum": 2, "half_mean": 2 * entries}.get(reduction, 1)


class Reduction(Op):
    r"""y = Σ w x / d, with the divisor d of the convention; "none" leaves y = w x.

    | reduction   | d   | used by                      |
    | ----------- | --- | ---------------------------- |
    | "sum"       | 1   | lecture 002, torch           |
    | "mean"      | n   | torch's default              |
    | "half_sum"  | 2   | lecture 003 for one example  |
    | "half_mean" | 2 n | lecture 003 for m examples   |

    n is the number of entries of x, whatever the weight. The half is there to cancel the 2 that
    a square leaves behind.

    Derivation: ∂y/∂x = w / d and ∂y/∂w = x / d, entry by entry; a weight that was broadcast
    takes the sum over the entries that it served.
    Shapes: x any, weight broadcastable to x or None; y a scalar, or like x for "none".
    Saves x and weight, and without a weight nothing but the shape of x.
    Source: lectures 002 and 003; `reduction=` of torch's losses.

    >>> Reduction.call(torch.tensor([1.0, 2.0, 6.0]), None, "half_mean")
    tensor(1.5000)
    """

    @staticmethod
    def forward(x, weight, reduction):
        weighted = x if weight is None else weight * x
        match reduction:
            case "none":
                return x.clone() if weight is None else weighted
            case "sum":
                return weighted.sum()
            case "mean":
                return weighted.mean()
            case "half_sum":
                return weighted.sum() / 2
            case "half_mean":
                return weighted.mean() / 2

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, weight, reduction = inputs
        ctx.shape = x.shape
        ctx.divisor = divisor(x.numel(), reduction)
        ctx.reduction = reduction
        saved = (None, None) if weight is None else (x, weight)
        save(ctx, *saved)

    @staticmethod
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        need_x, need_weight, _ = ctx.needs_input_grad
        grad_weighted = (grad_y / ctx.divisor).expand(ctx.shape)
        grad_x = grad_weight = None
        if need_x:
            grad_x = grad_weighted if weight is None else grad_weighted * weight
        if need_weight:
            grad_weight = (grad_weighted * x).sum_to_size(weight.shape)
        return grad_x, grad_weight, None  # reduction

    @staticmethod
    def tangent(ctx, dx, dweight, _):
        x, weight = ctx.saved_tensors
        dweighted = dx if weight is None else weight * dx + dweight * x
        return Reduction.forward(dweighted, None, ctx.reduction)
