"""A linear layer and its cross-entropy under torch's signature, a few rows at a time."""

from typing import Any

from torch import Tensor

from torchref.functional.admission import (
    autocast_off,
    each_widened,
    given,
    require,
    require_real_tensors,
    require_reduction,
    require_same_device,
    require_same_kind,
    require_tensor,
    shape,
    to_autocast_dtype,
    to_float32_under_autocast,
)
from torchref.functional.linear import linear
from torchref.functional.losses.class_numbers import over_counted, require_numbers_exist
from torchref.functional.losses.cross_entropy import cross_entropy, require_smoothing
from torchref.functional.losses.reduction import TORCH_REDUCTIONS
from torchref.ops import LinearCrossEntropy

NAME = "linear_cross_entropy"


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Tensor:
    """`cross_entropy` of the logits x Wᵀ + b, which are never there all at one time.

    As `torch.nn.functional.linear_cross_entropy`; see `torchref.ops.LinearCrossEntropy`.

    Shapes: input (N, D) or (D), linear_weight (C, D), linear_bias and weight (C), target (N) or ()
    of class numbers. `options.batch_chunk_size` is how many rows are taken at a time; without it
    they are so many that their logits are no larger than the larger of the gradients. Nothing else
    of options is read, and all derivatives are there. Probabilities as target, which are as large
    as the logits, and a linear_weight of (C, ..., D) take all rows together.

    >>> x, weight = torch.tensor([[0.0], [1e4]]), torch.tensor([[1.0], [2.0]])
    >>> linear_cross_entropy(x, weight, torch.tensor([0, 0]))
    tensor(5000.3467)
    """
    require_reduction(NAME, reduction, TORCH_REDUCTIONS)
    parameters = given(linear_bias=linear_bias, weight=weight)
    require_real_tensors(NAME, input=input, linear_weight=linear_weight, **parameters)
    require_tensor(NAME, "target", target)
    require_linear(input, linear_weight, linear_bias)
    require_smoothing(NAME, label_smoothing)
    classes, *inner, features = linear_weight.shape
    require(
        ignore_index is None or not target.is_floating_point(),
        f"{NAME}: ignore_index must be left out where target holds probabilities",
        f"it is {ignore_index}",
        "Rows of zeros in target have no loss.",
    )
    ignored = -100 if ignore_index is None else ignore_index
    if inner or target.is_floating_point():
        flat = None if linear_bias is None else linear_bias.flatten()
        logits = linear(input, linear_weight.flatten(0, -2), flat)
        logits = logits.reshape(*input.shape[:-1], classes, *inner)
        return cross_entropy(
            logits, target, weight, None, ignored, None, reduction, label_smoothing
        )
    require_rows(input, target, weight, classes)
    require_numbers_exist(NAME, target, classes, ignored)
    x, matrix, bias = to_autocast_dtype(input, linear_weight, linear_bias)
    require_same_kind(NAME, input=x, linear_weight=matrix, linear_bias=bias)
    (like, of_class) = to_float32_under_autocast(x, weight)
    require_same_kind(NAME, input=like, weight=of_class)
    require_same_device(NAME, input=x, target=target)
    x, matrix, bias, of_class = each_widened(x, matrix, bias, of_class)
    number = target.long()
    rows = rows_of(options, x.shape[0] if x.dim() > 1 else 1, features, classes)
    with autocast_off(input):
        losses = LinearCrossEntropy.call(
            x if x.dim() > 1 else x.unsqueeze(0),
            matrix,
            bias,
            number.reshape(-1),
            of_class,
            ignored,
            label_smoothing,
            rows,
        ).reshape(target.shape)
        return over_counted(losses, number, of_class, ignored, reduction).to(like.dtype)


def rows_of(options: Any, examples: int, features: int, classes: int) -> int:
    """How many rows at a time: their logits are no larger than the larger of the gradients."""
    given_size = getattr(options, "batch_chunk_size", None)
    if given_size is not None:
        return int(given_size)
    return max(1, features, examples * features // classes)


def require_linear(input: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    require(
        input.dim() in (1, 2) and weight.dim() >= 2 and input.shape[-1] == weight.shape[-1],
        f"{NAME}: input must have shape (D) or (N, D), and linear_weight (C, D) or (C, ..., D)",
        f"input has shape {shape(input)} and linear_weight {shape(weight)}",
        "A weight whose outputs are last is linear_weight.T.",
    )
    require(
        bias is None or bias.shape == weight.shape[:-1],
        f"{NAME}: linear_bias must have the shape of linear_weight without its last dimension",
        f"it has shape {shape(bias)} and linear_weight {shape(weight)}",
        "There is one entry a logit.",
    )
    require(
        weight.shape[0] > 0 and (weight.dim() == 2 or input.dim() == 2),
        f"{NAME}: there must be a class, and a batch of inputs for a linear_weight of (C, ..., D)",
        f"input has shape {shape(input)} and linear_weight {shape(weight)}",
        "A single example needs a batch dimension: input.unsqueeze(0).",
    )


def require_rows(input: Tensor, target: Tensor, weight: Tensor | None, classes: int) -> None:
    require(
        not target.is_complex() and target.shape == input.shape[:-1],
        f"{NAME}: target must hold a class number for each row of input, or probabilities",
        f"input has shape {shape(input)} and target {shape(target)}, of {target.dtype}",
        "Class numbers are target.long().",
    )
    require(
        weight is None or weight.shape == (classes,),
        f"{NAME}: weight must have one entry a class",
        f"it has shape {shape(weight)} for {classes} classes",
        "Weights of examples multiply the losses of reduction='none'.",
    )
