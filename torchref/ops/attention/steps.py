"""Attention and its backward one step at a time, every intermediate and its gradient by name.

This is the long way to what `Attention` and `BlockwiseAttention` collapse, to hold a kernel to that
goes wrong on the way. A plain function: autograd is not asked, and nothing is saved.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from torchref.ops.attention.counted_dropout import dropout_factors
from torchref.ops.attention.scores import finite_or_zero, or_one, positions, ranges


class AttentionSteps(NamedTuple):
    """What `attention_steps` goes through, in its order; each is named as in the code."""

    products: Tensor
    scaled: Tensor
    scores: Tensor
    largest: Tensor
    raised: Tensor
    total: Tensor
    logsumexp: Tensor
    weights: Tensor
    kept: Tensor
    y: Tensor
    grad_value: Tensor
    grad_kept: Tensor
    grad_weights: Tensor
    grad_total: Tensor
    grad_raised: Tensor
    grad_scores: Tensor
    grad_mask: Tensor | None
    grad_scaled: Tensor
    grad_products: Tensor
    grad_query: Tensor
    grad_key: Tensor


def attention_steps(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    seed: Tensor | None,
    scale: float,
    is_causal: bool,
    dropout_p: float,
    grad_y: Tensor,
) -> AttentionSteps:
    """`Attention` and its backward, step by step, for one key or more.

    >>> query, key, value = torch.zeros(1, 1), torch.zeros(2, 1), torch.tensor([[1.0], [3.0]])
    >>> grad_y = torch.ones(1, 1)
    >>> steps = attention_steps(query, key, value, None, None, 1.0, False, 0.0, grad_y)
    >>> steps.weights, steps.grad_weights, steps.grad_scores
    (tensor([[0.5000, 0.5000]]), tensor([[1., 3.]]), tensor([[-0.5000,  0.5000]]))
    """
    rows, columns = ranges(query, key)
    products = query @ key.mT
    scaled = products * scale
    scores = scaled
    if mask is not None:
        is_boolean = mask.dtype == torch.bool
        scores = torch.where(mask, scores, -torch.inf) if is_boolean else scores + mask
    if is_causal:
        is_seen = positions(rows, scores).unsqueeze(-1) >= positions(columns, scores)
        scores = torch.where(is_seen, scores, -torch.inf)
    largest = scores.amax(-1, keepdim=True)
    raised = torch.exp(scores - finite_or_zero(largest))
    total = raised.sum(-1, keepdim=True)
    logsumexp = largest + or_one(total).log()
    weights = raised / or_one(total)
    factors = dropout_factors(weights, seed, dropout_p, rows, columns)
    factors = torch.ones_like(weights) if factors is None else factors
    kept = weights * factors
    y = kept @ value

    # y = kept · value
    grad_value = (kept.mT @ grad_y).sum_to_size(value.shape)
    grad_kept = (grad_y @ value.mT).sum_to_size(kept.shape)
    # kept = weights · factors
    grad_weights = grad_kept * factors
    # weights = raised / total, whose one value a row was used by the whole row
    grad_total = -(grad_weights * raised).sum(-1, keepdim=True) / or_one(total) ** 2
    # total = Σ raised, so that raised has two uses, whose gradients add up
    grad_raised = grad_weights / or_one(total) + grad_total
    # raised = exp(scores − largest), and nothing changes with largest
    grad_scores = grad_raised * raised
    # scores = scaled + mask, and a hidden score is a constant: its raised is 0
    is_added = mask is not None and mask.dtype != torch.bool
    grad_mask = grad_scores.sum_to_size(mask.shape) if mask is not None and is_added else None
    grad_scaled = grad_scores.sum_to_size(scaled.shape)
    # scaled = products · scale
    grad_products = grad_scaled * scale
    # products = query · keyᵀ
    grad_query = (grad_products @ key).sum_to_size(query.shape)
    grad_key = (grad_products.mT @ query).sum_to_size(key.shape)

    return AttentionSteps(
        products,
        scaled,
        scores,
        largest,
        raised,
        total,
        logsumexp,
        weights,
        kept,
        y,
        grad_value,
        grad_kept,
        grad_weights,
        grad_total,
        grad_raised,
        grad_scores,
        grad_mask,
        grad_scaled,
        grad_products,
        grad_query,
        grad_key,
    )
