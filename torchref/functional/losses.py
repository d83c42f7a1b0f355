"""Losses under torch's signatures, and the squared error in the lectures' conventions."""

from torch import Tensor

from torchref.functional.admission import (
    autocast_off,
    require,
    require_matching_losses,
    require_reduction,
    require_same_kind,
    require_unit_interval,
    shape,
    to_float32_under_autocast,
)
from torchref.ops import REDUCTIONS, LogLoss, LogLossWithLogits, Reduction, SquaredError

TORCH_REDUCTIONS = ("none", "sum", "mean")


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """The log loss of probabilities, as torch's; see `torchref.ops.LogLoss`.

    Shapes: input and target alike, weight broadcastable to them. Entries of input and target
    lie in [0, 1]. Unlike torch's it is differentiable in `weight`, and under CUDA autocast it
    runs in float32 where torch's refuses.

    >>> binary_cross_entropy(torch.tensor([0.5, 0.8]), torch.tensor([1.0, 1.0]))
    tensor(0.4581)
    """
    name = "binary_cross_entropy"
    require_reduction(name, reduction, TORCH_REDUCTIONS, size_average, reduce)
    require_matching_losses(name, input, target, weight=weight)
    input, target, weight = to_float32_under_autocast(input, target, weight)
    require_same_kind(name, input=input, target=target, weight=weight)
    require_unit_interval(name, input=input, target=target)
    with autocast_off(input):
        return reduced(LogLoss.call(input, target), weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """The log loss of logits, as torch's; see `torchref.ops.LogLossWithLogits`.

    Shapes: input and target alike, weight and pos_weight broadcastable to them. Entries of
    target lie in [0, 1]. Unlike torch's it is differentiable in `weight`.

    >>> binary_cross_entropy_with_logits(torch.tensor([0.0, 1e4]), torch.tensor([1.0, 1.0]))
    tensor(0.3466)
    """
    name = "binary_cross_entropy_with_logits"
    require_reduction(name, reduction, TORCH_REDUCTIONS, size_average, reduce)
    require_matching_losses(name, input, target, weight=weight, pos_weight=pos_weight)
    input, target, weight, pos_weight = to_float32_under_autocast(input, target, weight, pos_weight)
    require_same_kind(name, input=input, target=target, weight=weight, pos_weight=pos_weight)
    require_unit_interval(name, target=target)
    with autocast_off(input):
        losses = LogLossWithLogits.call(input, target, pos_weight)
        return reduced(losses, weight, reduction)


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The mean squared error, as torch's; see `squared_error` for the lectures' conventions.

    Shapes: input and target alike: torch warns and broadcasts (N, 1) against (N), which is
    nearly always a mistake, so it is refused here. weight has the shape of input, and with it
    the mean is Σ w (x − t)² / Σ w.

    >>> mse_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(2.)
    """
    name = "mse_loss"
    require_reduction(name, reduction, TORCH_REDUCTIONS, size_average, reduce)
    require_matching_losses(name, input, target, weight=weight)
    require(
        weight is None or weight.shape == input.shape,
        f"{name}: weight and input must have the same shape",
        f"weight has shape {shape(weight)} and input {shape(input)}",
        "Expand it with weight.expand_as(input).",
    )
    if weight is not None and reduction == "mean":
        return reduced_squares(name, input, target, "sum", weight / weight.sum())
    return reduced_squares(name, input, target, reduction, weight)


def squared_error(
    input: Tensor, target: Tensor, reduction: str = "sum", weight: Tensor | None = None
) -> Tensor:
    """Σ w (x − t)² / d with the divisor of the convention; see `torchref.ops.Reduction`.

    `reduction` is "sum" (lecture 002), "half_sum" (003, one example), "half_mean" (003, many),
    "mean" (torch) or "none".

    >>> squared_error(torch.tensor(0.7153), torch.tensor(0.25), "half_sum")
    tensor(0.1083)
    """
    name = "squared_error"
    require_reduction(name, reduction, REDUCTIONS)
    require_matching_losses(name, input, target, weight=weight)
    return reduced_squares(name, input, target, reduction, weight)


def reduced_squares(
    name: str, input: Tensor, target: Tensor, reduction: str, weight: Tensor | None
) -> Tensor:
    input, target, weight = to_float32_under_autocast(input, target, weight)
    require_same_kind(name, input=input, target=target, weight=weight)
    with autocast_off(input):
        return reduced(SquaredError.call(input, target), weight, reduction)


def reduced(losses: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    if weight is None and reduction == "none":
        return losses
    return Reduction.call(losses, weight, reduction)
