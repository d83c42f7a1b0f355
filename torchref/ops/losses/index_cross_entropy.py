"""The cross-entropy of class numbers: the softmax cancels, and no row of probabilities is made."""

import torch
from torch import Tensor

from torchref.ops.losses.nll import counted, picked, totals, with_instead
from torchref.ops.op import RoundedOnce, save
from torchref.ops.softmax.cross_entropy import expectation
from torchref.ops.softmax.log_softmax import LogSoftmax
from torchref.ops.softmax.softmax import Softmax


class IndexCrossEntropy(RoundedOnce):
    r"""y = −(1 − α) w_t ln p_t − α/C Σ_i w_i ln p_i, with p = softmax(x) and the right class t.

    α is `label_smoothing`, the part of a target that is spread over all C classes, and w a weight
    for each, or 1. Without both, y = −ln p_t.

    Derivation: this is `SoftmaxCrossEntropy` for the target row T with
    T_i = (1 − α) w_i δ_it + α/C w_i, so ∂y/∂x = p Σ_i T_i − T; without both, p − 1 for the right
    class and p for the others. T is never made: its first term changes one entry of each row.
    Also ∂y/∂w_i = −(1 − α) δ_it ln p_t − α/C ln p_i. Rows whose target is `ignore_index` have
    y = 0, and send nothing back, whatever stands in them.
    Shapes: x (..., C), target (...) of class numbers, weight (C) or None, y (...).
    Saves x, target and weight.
    Source: Szegedy et al. 2016 for α; `torch.nn.functional.cross_entropy`.

    >>> x = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 1e4]])
    >>> IndexCrossEntropy.call(x, torch.tensor([0, 1]), None, -100, 0.0)
    tensor([1.0986e+00, 1.0000e+04])
    """

    @staticmethod
    def forward(x, target, weight, ignore_index, label_smoothing):
        return row_losses(x, target, weight, ignore_index, label_smoothing)

    @staticmethod
    def setup_context(ctx, inputs, output):
        *tensors, ignore_index, label_smoothing = inputs
        ctx.options = ignore_index, label_smoothing
        save(ctx, *tensors)

    @staticmethod
    def backward(ctx, grad_y):
        given = *ctx.saved_tensors, *ctx.options
        need_x, _, need_weight, *_ = ctx.needs_input_grad
        grad_x = logits_gradient(grad_y, *given) if need_x else None
        grad_weight = weight_gradient(grad_y, *given) if need_weight else None
        return grad_x, None, grad_weight, None, None  # target, ignore_index, label_smoothing

    @staticmethod
    def tangent(ctx, dx, _target, dweight, _ignore_index, _label_smoothing):
        return row_tangents(dx, dweight, *ctx.saved_tensors, *ctx.options)


def class_weights(x: Tensor, weight: Tensor | None) -> Tensor:
    """One for each class where none are given."""
    return x.new_ones(x.shape[-1]) if weight is None else weight


def weighed(log_p: Tensor, number: Tensor, weight: Tensor, label_smoothing: float) -> Tensor:
    """−(1 − α) w_t ln p_t − α/C Σ w ln p of each row."""
    y = (label_smoothing - 1) * weight[number] * picked(log_p, number)
    if label_smoothing:
        y = y - label_smoothing / log_p.shape[-1] * expectation(weight, log_p)
    return y


def logits_slope(x: Tensor, number: Tensor, weight: Tensor, label_smoothing: float) -> Tensor:
    """p Σ T − T, where (p − 1) (1 − α) w_t for the right class has its digits in ln p."""
    own = (1 - label_smoothing) * weight[number]
    p = Softmax.call(x, -1)
    of_right = own * torch.expm1(picked(LogSoftmax.call(x, -1), number))
    slope = with_instead(p * own.unsqueeze(-1), number, of_right)
    if not label_smoothing:
        return slope
    spread = label_smoothing / x.shape[-1] * weight
    return slope + (p * spread.sum() - spread)


def row_losses(
    x: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, label_smoothing: float
) -> Tensor:
    """y of each row."""
    counts, number = counted(target, ignore_index)
    y = weighed(LogSoftmax.call(x, -1), number, class_weights(x, weight), label_smoothing)
    return torch.where(counts, y, 0)


def logits_gradient(
    grad_y: Tensor,
    x: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    label_smoothing: float,
) -> Tensor:
    """∂L/∂x of `IndexCrossEntropy`, for its ∂L/∂y."""
    counts, number = counted(target, ignore_index)
    slope = logits_slope(x, number, class_weights(x, weight), label_smoothing)
    return torch.where(counts.unsqueeze(-1), grad_y.unsqueeze(-1) * slope, 0)


def weight_gradient(
    grad_y: Tensor,
    x: Tensor,
    target: Tensor,
    weight: Tensor,
    ignore_index: int,
    label_smoothing: float,
) -> Tensor:
    """∂L/∂w of `IndexCrossEntropy`, for its ∂L/∂y."""
    counts, number = counted(target, ignore_index)
    grad_row = torch.where(counts, grad_y, 0).unsqueeze(-1)
    by_class = grad_row * torch.where(counts.unsqueeze(-1), -LogSoftmax.call(x, -1), 0)
    grad_weight = totals(weight, number, (1 - label_smoothing) * picked(by_class, number))
    if label_smoothing:
        share = label_smoothing / x.shape[-1]
        grad_weight = grad_weight + share * by_class.sum_to_size(weight.shape)
    return grad_weight


def row_tangents(
    dx: Tensor,
    dweight: Tensor | None,
    x: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    label_smoothing: float,
) -> Tensor:
    """dy of each row, for dx and dw."""
    counts, number = counted(target, ignore_index)
    dy = (dx * logits_slope(x, number, class_weights(x, weight), label_smoothing)).sum(-1)
    if dweight is not None:
        dy = dy + weighed(LogSoftmax.call(x, -1), number, dweight, label_smoothing)
    return torch.where(counts, dy, 0)
