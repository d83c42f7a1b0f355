"""The cross-entropy under torch's signature: its kinds of targets become one."""

import torch
from torch import Tensor

from torchref.errors import InputError
from torchref.functional.admission import (
    autocast_off,
    fails_somewhere,
    given,
    require,
    require_real_tensors,
    require_reduction,
    require_same_kind,
    require_tensor,
    shape,
    to_float32_under_autocast,
)
from torchref.functional.losses import TORCH_REDUCTIONS, reduced
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
    shape of input. weight (C) weighs the classes; rows whose class number is `ignore_index` do
    not count. The mean over class numbers is divided by the weights of those that count.

    >>> cross_entropy(torch.tensor([[0.0, 0.0], [0.0, 1e4]]), torch.tensor([1, 0]))
    tensor(5000.3467)
    """
    require_reduction(NAME, reduction, TORCH_REDUCTIONS, size_average, reduce)
    require_real_tensors(NAME, input=input, **given(weight=weight))
    require_tensor(NAME, "target", target)
    by_number = not target.is_floating_point()
    require_fitting(input, target, weight, by_number)
    require_options(ignore_index, label_smoothing, by_number)
    input, weight = to_float32_under_autocast(input, weight)
    dim = class_dimension(input)
    logits = input.movedim(dim, -1)
    classes = logits.shape[-1]
    if by_number:
        require_classes(target, classes, ignore_index)
        numbers = torch.arange(classes, device=target.device)
        chances = (target.unsqueeze(-1) == numbers).to(logits.dtype)
    else:
        (target,) = to_float32_under_autocast(target)
        chances = target.movedim(dim, -1)
    require_same_kind(NAME, input=logits, target=chances, weight=weight)
    with autocast_off(input):
        scale: Tensor | int = 1 if weight is None else weight  # of each class, in each row
        if by_number:
            scale = scale * (target != ignore_index).unsqueeze(-1)
        smoothed = (1 - label_smoothing) * chances + label_smoothing / classes
        losses = SoftmaxCrossEntropy.call(logits, smoothed * scale)
        if by_number and reduction == "mean":
            return reduced(losses, None, "sum") / (chances * scale).sum()
        return reduced(losses, None, reduction)


def class_dimension(input: Tensor) -> int:
    """The second, or the only one."""
    return min(1, input.dim() - 1)


def require_fitting(input: Tensor, target: Tensor, weight: Tensor | None, by_number: bool) -> None:
    dim = class_dimension(input)
    require(
        input.dim() > 0 and input.shape[dim] > 0,
        f"{NAME}: input must have a dimension of one class or more: (C), (N, C) or (N, C, ...)",
        f"it has shape {shape(input)}",
        "Two classes with one logit go to binary_cross_entropy_with_logits.",
    )
    require(
        not target.is_complex(),
        f"{NAME}: target must hold class numbers or probabilities",
        f"it is {target.dtype}",
        "Class numbers are integers: target.real.long().",
    )
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


def require_options(ignore_index: int, label_smoothing: float, by_number: bool) -> None:
    require(
        by_number or ignore_index < 0,
        f"{NAME}: ignore_index must be left out where target holds probabilities",
        f"it is {ignore_index}",
        "Rows of zeros in target have no loss.",
    )
    require(
        0 <= label_smoothing <= 1,
        f"{NAME}: label_smoothing must lie in [0, 1]",
        f"it is {label_smoothing}",
        "0.1 is usual.",
    )


def require_classes(target: Tensor, classes: int, ignore_index: int) -> None:
    inside = (target >= 0) & (target < classes) | (target == ignore_index)
    if fails_somewhere(inside):
        raise InputError(
            f"{NAME}: class numbers must lie in [0, {classes - 1}], or be ignore_index",
            f"{target[~inside][0].item()} is among them",
            "Classes count from 0, and input has one column for each.",
        )
