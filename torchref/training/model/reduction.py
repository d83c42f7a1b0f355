"""Whether the losses of the parts of a batch make up the loss of the whole."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from torchref.errors import InputError

LEAST, ROUNDINGS = 1e-4, 8  # of the loss, and in the dtype that it has


def reduction_of(loss: Callable[..., Any]) -> str:
    """As the loss says, and "mean" where it says nothing."""
    return str(getattr(loss, "reduction", "mean"))


def require_scalar(loss: Tensor) -> None:
    if loss.numel() != 1:
        raise InputError(
            "The loss must be one number",
            f"it has the shape {tuple(loss.shape)}",
            'Take reduction="mean" or "sum", or a mean over what the loss returns.',
        )


@torch.no_grad()
def require_parts_to_add_up(
    loss: Callable[[Tensor, Tensor], Tensor], output: Tensor, target: Tensor, reduction: str
) -> bool:
    """Whether it was asked: of one example it cannot be.

    Raises `InputError` for a loss whose gradient of a batch is not that of its parts.

    Class weights and ignored targets make a mean over something else than the examples, and some
    losses compare the examples of a batch with each other.
    """
    count = len(output)
    if count < 2 or len(target) != count:
        return False
    cut = max(1, count // 3)
    total = loss(output, target)
    whole, eps = total.item(), torch.finfo(total.dtype).eps
    first, rest = (
        loss(output[rows], target[rows]).item() for rows in (slice(cut), slice(cut, None))
    )
    added = first + rest
    if reduction.endswith("mean"):
        added = (cut * first + (count - cut) * rest) / count
    size = max(abs(whole), abs(first), abs(rest))
    if abs(added - whole) > max(LEAST, ROUNDINGS * eps) * size:
        kind = "mean" if reduction.endswith("mean") else reduction
        raise InputError(
            "The parts of a batch must make up its loss, where processes share it or gradients "
            "are accumulated",
            f"the {kind} over two parts is {added:.6g}, and the loss of both {whole:.6g}",
            "Class weights, ignored targets and losses that compare examples do this; a sum must "
            'say reduction = "sum". Train in one process with whole batches, or take a loss that '
            "is a mean over the examples.",
        )
    return True
