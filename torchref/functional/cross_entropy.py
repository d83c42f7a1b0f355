"""The cross-entropy under torch's signature: its kinds of targets become one."""

import torch
from torch import Tensor

from torchref.functional.admission import (
    require,
    require_real_tensors,
    require_reduction,
    require_same_kind,
    shape,
)
from torchref.functional.losses import TORCH_REDUCTIONS, reduced
from torchref.functional.precision import autocast_off, to_float32_under_autocast
from torchref.ops import SoftmaxCrossEntropy

NAME = "cross_entropy"


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: None = None,
    ignore_index: int = -100,
    reduce: None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """−Σ t ln softmax(x), as `torch.nn.functional.cross_entropy`; see `ops.SoftmaxCrossEntropy`.

    Shapes: input (C), (N, C) or (N, C, ...). target is either the number of the right class, of
    an integer dtype and the shape of input without C, or a probability for each class, in the
    shape of input. weight (C) weighs the classes; rows whose class is `ignore_index` do not
    count. The mean over class numbers is divided by the weights of those that count.

    >>> cross_entropy(torch.tensor([[0.0, 0.0], [0.0, 1e4]]), torch.tensor([1, 0]))
    tensor(5000.3467)
    """
    require_reduction(NAME, reduction, TORCH_REDUCTIONS, size_average, reduce)
    require_real_tensors(NAME, input=input, weight=weight)
    by_number = not target.is_floating_point()
    require_fitting(input, target, weight, by_number, label_smoothing)
    input, weight = to_float32_under_autocast(input, weight)
    dim = min(1, input.dim() - 1)
    logits, counts = input.movedim(dim, -1), None
    if by_number:
        require_classes(target, logits.shape[-1], ignore_index)
        counts = target != ignore_index
        numbers = torch.arange(logits.shape[-1], device=target.device)
        chances = (target.unsqueeze(-1) == numbers).to(logits.dtype)
    else:
        (target,) = to_float32_under_autocast(target)
        chances = target.movedim(dim, -1)
    require_same_kind(NAME, input=logits, target=chances, weight=weight)
    with autocast_off(input):
        weights = chances if weight is None else chances * weight
        if label_smoothing:
            chances = (1 - label_smoothing) * chances + label_smoothing / logits.shape[-1]
            smoothed = chances if weight is None else chances * weight
        else:
            smoothed = weights
        if counts is not None:
            smoothed, weights = (x * counts.unsqueeze(-1) for x in (smoothed, weights))
        losses = SoftmaxCrossEntropy.call(logits, smoothed)
        if reduction == "mean" and by_number:
            return reduced(losses, None, "sum") / weights.sum()
        return reduced(losses, None, reduction)


def require_fitting(
    input: Tensor, target: Tensor, weight: Tensor | None, by_number: bool, label_smoothing: float
) -> None:
    require(
        input.dim() > 0,
        f"{NAME}: input must have a dimension of classes: (C), (N, C) or (N, C, ...)",
        "it is a single value",
        "Two classes with one logit go to binary_cross_entropy_with_logits.",
    )
    dim = min(1, input.dim() - 1)
    without_classes = (*input.shape[:dim], *input.shape[dim + 1 :])
    require(
        target.shape == (without_classes if by_number else input.shape),
        f"{NAME}: target must hold class numbers in the shape of input without its classes, or "
        "probabilities in the shape of input",
        f"input has shape {shape(input)} and target {shape(target)}, of {target.dtype}",
        "Class numbers are target.long(); logits are (N, C, ...), the classes second.",
    )
    require(
        weight is None or weight.shape == (input.shape[dim],),
        f"{NAME}: weight must have one entry a class",
        f"it has shape {shape(weight)} for {input.shape[dim]} classes",
        "Weights of examples multiply the losses of reduction='none'.",
    )
    require(
        0 <= label_smoothing <= 1,
        f"{NAME}: label_smoothing must lie in [0, 1]",
        f"it is {label_smoothing}",
        "0.1 is usual.",
    )


def require_classes(target: Tensor, classes: int, ignore_index: int) -> None:
    """Looks at values, so it is left out where values cannot be looked at: compile and vmap."""
    if torch.compiler.is_compiling():
        return
    outside = ((target < 0) | (target >= classes)) & (target != ignore_index)
    try:
        wrong = bool(outside.any())
    except RuntimeError:  # vmap refuses control flow that depends on data
        return
    require(
        not wrong,
        f"{NAME}: class numbers must lie in [0, {classes - 1}], or be ignore_index",
        f"they reach from {target.min().item() if wrong else 0} "
        f"to {target.max().item() if wrong else 0}",
        "Classes count from 0, and input has one column for each.",
    )
