"""Losses of class numbers under torch's signatures, and what holds for all of them."""

import torch
from torch import Tensor

from torchref.errors import InputError
from torchref.functional.admission import (
    autocast_off,
    each_widened,
    fails_somewhere,
    given,
    require,
    require_real_tensors,
    require_reduction,
    require_same_device,
    require_same_kind,
    require_tensor,
    shape,
    to_float32_under_autocast,
)
from torchref.functional.losses.reduction import TORCH_REDUCTIONS, reduced
from torchref.ops import NLL, MultiMargin
from torchref.ops.losses.nll import counted


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: None = None,
    ignore_index: int = -100,
    reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """−w_t x_t of logarithms x, as `torch.nn.functional.nll_loss`; see `torchref.ops.NLL`.

    Shapes: input (C), (N, C) or (N, C, ...), target class numbers in the shape of input without C,
    weight (C). Rows whose class number is `ignore_index` do not count, and the mean is divided by
    the weights of those that do. Unlike torch's it is differentiable in `weight`.

    >>> nll_loss(torch.tensor([[0.5, 0.5], [0.25, 0.75]]).log(), torch.tensor([0, 1]))
    tensor(0.4904)
    """
    name = "nll_loss"
    require_reduction(name, reduction, TORCH_REDUCTIONS, size_average, reduce)
    require_real_tensors(name, input=input, **given(weight=weight))
    require_class_numbers(name, target)
    dim = require_classes(name, input, weight)
    require_numbers_fit(name, target, input, dim)
    require_numbers_exist(name, target, input.shape[dim], ignore_index)
    input, weight = to_float32_under_autocast(input, weight)
    require_same_kind(name, input=input, weight=weight)
    require_same_device(name, input=input, target=target)
    number, (logarithms, wide) = target.long(), each_widened(input, weight)
    with autocast_off(input):
        losses = NLL.call(logarithms.movedim(dim, -1), number, wide, ignore_index)
        return over_counted(losses, number, wide, ignore_index, reduction).to(input.dtype)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """w_t / C Σ max(0, margin − x_t + x_j)^p, as torch's; see `torchref.ops.MultiMargin`.

    Shapes: input (C) or (N, C), target () or (N) of class numbers, weight (C). The mean is over the
    rows, whatever they weigh. Unlike torch's it is differentiable in `weight`, and twice.

    >>> multi_margin_loss(torch.tensor([[1.0, 1.5, -1.0]]), torch.tensor([1]))
    tensor(0.1667)
    """
    name = "multi_margin_loss"
    require_reduction(name, reduction, TORCH_REDUCTIONS, size_average, reduce)
    require(
        p in (1, 2),
        f"{name}: p must be 1 or 2",
        f"{p!r} arrived",
        "1 is the hinge, and 2 its square.",
    )
    require_real_tensors(name, input=input, **given(weight=weight))
    require_class_numbers(name, target)
    require(
        input.dim() <= 2,
        f"{name}: input must have shape (C) or (N, C)",
        f"it has shape {shape(input)}",
        "Take other dimensions together: input.movedim(1, -1).flatten(0, -2).",
    )
    dim = require_classes(name, input, weight)
    require_numbers_fit(name, target, input, dim)
    require_numbers_exist(name, target, input.shape[dim])
    input, weight = to_float32_under_autocast(input, weight)
    require_same_kind(name, input=input, weight=weight)
    require_same_device(name, input=input, target=target)
    with autocast_off(input):
        scores, wide = each_widened(input, weight)
        losses = MultiMargin.call(scores, target.long(), wide, p, margin)
        return reduced(losses, None, reduction).to(input.dtype)


def over_counted(
    losses: Tensor,
    number: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
) -> Tensor:
    """The losses of rows reduced; the mean is Σ y / Σ w, over the rows that count."""
    if reduction != "mean":
        return reduced(losses, None, reduction)
    counts, known = counted(number, ignore_index)
    total = counts.sum() if weight is None else torch.where(counts, weight[known], 0).sum()
    return reduced(losses, None, "sum") / total


def class_dimension(input: Tensor) -> int:
    """The second, or the only one."""
    return min(1, input.dim() - 1)


def require_classes(op: str, input: Tensor, weight: Tensor | None) -> int:
    """The dimension of the classes, of which there are some, and a weight for each if any."""
    dim = class_dimension(input)
    require(
        input.dim() > 0 and input.shape[dim] > 0,
        f"{op}: input must have a dimension of one class or more: (C), (N, C) or (N, C, ...)",
        f"it has shape {shape(input)}",
        "Two classes with one logit go to binary_cross_entropy_with_logits.",
    )
    require(
        weight is None or weight.shape == (input.shape[dim],),
        f"{op}: weight must have one entry a class",
        f"it has shape {shape(weight)} for {input.shape[dim]} classes",
        "Weights of examples multiply the losses of reduction='none'.",
    )
    return dim


def require_class_numbers(op: str, target: Tensor) -> None:
    require_tensor(op, "target", target)
    require(
        not (target.is_floating_point() or target.is_complex() or target.dtype == torch.bool),
        f"{op}: target must hold class numbers, of an integer dtype",
        f"it is {target.dtype}",
        "Class numbers are target.long().",
    )


def require_numbers_fit(op: str, target: Tensor, input: Tensor, dim: int) -> None:
    without_classes = (*input.shape[:dim], *input.shape[dim + 1 :])
    require(
        target.shape == without_classes,
        f"{op}: target must have the shape of input without its classes",
        f"input has shape {shape(input)} and target {shape(target)}",
        "Scores are (N, C, ...), the classes second, and class numbers (N, ...).",
    )


def require_numbers_exist(
    op: str, target: Tensor, classes: int, ignore_index: int | None = None
) -> None:
    inside = (target >= 0) & (target < classes)
    if ignore_index is not None:
        inside = inside | (target == ignore_index)
    if fails_somewhere(inside):
        ignored = "" if ignore_index is None else ", or be ignore_index"
        raise InputError(
            f"{op}: class numbers must lie in [0, {classes - 1}]{ignored}",
            f"{target[~inside][0].item()} is among them",
            "Classes count from 0, and input has one column for each.",
        )
