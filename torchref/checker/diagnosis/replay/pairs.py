"""Which two of many shares add up to what is lost, without adding every two of them."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from torchref.checker.execution.arithmetic import SAME


def pairs_that_may_fit(
    shares: Sequence[Sequence[Tensor]], lost: Sequence[Tensor], times: float
) -> Iterator[tuple[int, int]]:
    """The places of all pairs that lose what is lost, `times` their sum; and of few others.

    Each share is told by one number, a sum in which every entry has a weight of its own: pairs of
    numbers are compared at once where pairs of shares would be compared one after the other.
    """
    if len(shares) < 2:
        return
    numbers = torch.stack([_number(share) for share in shares])
    apart = (times * (numbers[:, None] + numbers) - _number(lost)).abs()
    size = torch.stack([_number([g.abs() for g in share]) for share in shares])
    rounding = 10 * SAME * (size[:, None] + size + _number([g.abs() for g in lost]))
    yield from (apart <= rounding).triu(1).nonzero().tolist()


def _number(gradients: Sequence[Tensor]) -> Tensor:
    flat = torch.cat([g.detach().flatten() for g in gradients])
    weights = 1.5 + torch.arange(len(flat), device=flat.device, dtype=torch.float64).sin()
    return (flat * weights).sum()
