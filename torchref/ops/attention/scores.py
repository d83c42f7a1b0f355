"""The scores of queries and keys, −∞ where a key is hidden, and the softmax that allows for rows
of nothing else: a query that sees no key has the weights 0, and the output 0.
"""

import torch
from torch import Tensor


def ranges(query: Tensor, key: Tensor) -> tuple[range, range]:
    """The rows and columns of all scores."""
    return range(query.shape[-2]), range(key.shape[-2])


def positions(numbers: range, like: Tensor) -> Tensor:
    return torch.arange(numbers.start, numbers.stop, device=like.device)


def scores(
    query: Tensor,
    key: Tensor,
    mask: Tensor | None,
    scale: float,
    is_causal: bool,
    rows: range,
    columns: range,
) -> Tensor:
    """s = scale Q Kᵀ + mask for the queries of the rows and the keys of the columns."""
    s = (query * scale) @ key.mT
    if mask is not None:
        s = torch.where(mask, s, -torch.inf) if mask.dtype == torch.bool else s + mask
    if is_causal:
        is_seen = positions(rows, s).unsqueeze(-1) >= positions(columns, s)
        s = torch.where(is_seen, s, -torch.inf)
    return s


def finite_or_zero(top: Tensor) -> Tensor:
    """What may be subtracted from the scores of a row: −∞ less −∞ would be no number."""
    return torch.where(top == -torch.inf, 0, top)


def or_one(total: Tensor) -> Tensor:
    """What the weights of a row may be divided by: a row of nothing sums to 0, and stays so."""
    return torch.where(total == 0, 1, total)


def weights_of(s: Tensor) -> Tensor:
    """The softmax of each row of scores, and 0 in rows of −∞ alone, or without a key."""
    if s.shape[-1] == 0:
        return s
    # The softmax is the same whatever is subtracted: it has no slope there.
    raised = torch.exp(s - finite_or_zero(s.amax(-1, keepdim=True)).detach())
    return raised / or_one(raised.sum(-1, keepdim=True))


def softmax_differential(weights: Tensor, d: Tensor) -> Tensor:
    """p (d − Σ p d): the Jacobian of the softmax, which is symmetric, applied to d."""
    return weights * (d - (weights * d).sum(-1, keepdim=True))
