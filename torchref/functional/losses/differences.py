"""Losses of the difference between input and target; the squared one also as the lectures have it.

torch warns and broadcasts an input of (N, 1) against a target of (N), which is nearly always a
mistake: here they have one shape.
"""

from torch import Tensor

from torchref.functional.admission import (
    require,
    require_matching_losses,
    require_reduction,
    shape,
)
from torchref.functional.losses.reduction import TORCH_REDUCTIONS, reduced_losses
from torchref.ops import (
    REDUCTIONS,
    AbsoluteError,
    HuberError,
    Op,
    SmoothAbsoluteError,
    SquaredError,
)


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
    require_reduction("mse_loss", reduction, TORCH_REDUCTIONS, size_average, reduce)
    return entrywise(
        "mse_loss", SquaredError, input, target, (), weight, reduction, over_weights=True
    )


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
    tensors = {"input": input, "target": target}
    return reduced_losses(name, SquaredError, tensors, (), weight, reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The mean absolute error, as torch's; see `torchref.ops.AbsoluteError`.

    Shapes: input, target and weight alike; with a weight the mean is Σ w |x − t| / Σ w.

    >>> l1_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(1.)
    """
    require_reduction("l1_loss", reduction, TORCH_REDUCTIONS, size_average, reduce)
    return entrywise(
        "l1_loss", AbsoluteError, input, target, (), weight, reduction, over_weights=True
    )


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """A square up to |x − t| = beta and straight beyond; see `torchref.ops.SmoothAbsoluteError`.

    Shapes: input and target alike. As torch's, it is `l1_loss` for beta=0.

    >>> smooth_l1_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(0.7500)
    """
    name = "smooth_l1_loss"
    require_reduction(name, reduction, TORCH_REDUCTIONS, size_average, reduce)
    require(
        beta >= 0,
        f"{name}: beta must not be negative",
        f"{beta} arrived",
        "It is the |x − t| from which on the loss is straight; 1.0 is usual.",
    )
    return entrywise(name, SmoothAbsoluteError, input, target, (beta,), None, reduction)


def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """A square up to |x − t| = delta and straight beyond; see `torchref.ops.HuberError`.

    Shapes: input, target and weight alike; unlike that of `l1_loss` the mean is over the entries.

    >>> huber_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]), delta=0.5)
    tensor(0.4375)
    """
    name = "huber_loss"
    require_reduction(name, reduction, TORCH_REDUCTIONS)
    require(
        delta > 0,
        f"{name}: delta must be positive",
        f"{delta} arrived",
        "It is the |x − t| from which on the loss is straight; 1.0 is usual.",
    )
    return entrywise(name, HuberError, input, target, (delta,), weight, reduction)


def entrywise(
    name: str,
    op: type[Op],
    input: Tensor,
    target: Tensor,
    options: tuple[float, ...],
    weight: Tensor | None,
    reduction: str,
    over_weights: bool = False,
) -> Tensor:
    """The losses of the entries, each weighed, reduced as the caller has admitted."""
    require_matching_losses(name, input, target, weight=weight)
    require(
        weight is None or weight.shape == input.shape,
        f"{name}: weight and input must have the same shape",
        f"weight has shape {shape(weight)} and input {shape(input)}",
        "Expand it with weight.expand_as(input).",
    )
    tensors = {"input": input, "target": target}
    return reduced_losses(name, op, tensors, options, weight, reduction, over_weights=over_weights)
