"""What the losses share: their precision, and how one value is made of those of all entries."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from torchref.functional.admission import (
    autocast_off,
    each_widened,
    require_same_kind,
    to_float32_under_autocast,
)
from torchref.ops import Op, Reduction

TORCH_REDUCTIONS = ("none", "sum", "mean")


def reduced_losses(
    name: str,
    op: type[Op],
    tensors: Mapping[str, Tensor | None],
    options: tuple[Any, ...],
    weight: Tensor | None,
    reduction: str,
    *,
    over_weights: bool = False,
    divisor: int = 1,
) -> Tensor:
    """Of op(*tensors, *options) one value, or all of them; `over_weights` means Σ w y / Σ w.

    Lower dtypes are computed in float32 and rounded once.
    """
    *chosen, weight = to_float32_under_autocast(*tensors.values(), weight)
    named = dict(zip(tensors, chosen, strict=True))
    require_same_kind(name, **named, weight=weight)
    *wide, weight = each_widened(*chosen, weight)
    if over_weights and weight is not None and reduction == "mean":
        weight, reduction = weight / weight.sum(), "sum"
    with autocast_off(wide[0]):
        y = reduced(op.call(*wide, *options), weight, reduction)
        return (y if divisor == 1 else y / divisor).to(chosen[0].dtype)


def reduced(losses: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    if weight is None and reduction == "none":
        return losses
    return Reduction.call(losses, weight, reduction)
