"""Attention with a mask that may take a row's every key."""

import math

import torch

from .attention import grad_scores, queries_keys_values
from .by_hand import backward_of, wrong


def masked_scores(q, k, mask):
    return (q @ k.mT).masked_fill(~mask, -math.inf)


def masked_out_to_zero(q, k, v, mask):
    """A row without keys is zero."""
    scores = masked_scores(q, k, mask)
    largest = scores.detach().amax(-1, keepdim=True).clamp_min(-1e300)
    weight = (scores - largest).exp()
    return weight / weight.sum(-1, keepdim=True).clamp_min(1e-300) @ v


def some_keys_masked(generator):
    mask = torch.ones(2, 5, 6, dtype=torch.bool)
    mask[:, 1, 3:] = False
    return *queries_keys_values(generator), mask


def one_row_masked(generator):
    q, k, v, mask = some_keys_masked(generator)
    mask[1, 2] = False
    return q, k, v, mask


def masked_attention_forward(q, k, v, mask):
    scores = masked_scores(q, k, mask)
    logsumexp = torch.logsumexp(scores, -1, keepdim=True)
    p = torch.nan_to_num((scores - logsumexp).exp(), nan=0.0)
    return p @ v, {"logsumexp": logsumexp}


@wrong(
    "row without keys",
    ("not-finite",),
    "a row without keys is 0 forwards and exp(−∞ + ∞) backwards",
    "fla-org/flash-linear-attention#892",
    ordinary=some_keys_masked,
)
@backward_of(masked_out_to_zero, one_row_masked, forward=masked_attention_forward, once=True)
def masked_attention(slip, grad_y, q, k, v, mask, logsumexp):
    p = (masked_scores(q, k, mask) - logsumexp).exp()
    if not slip:
        p = p.masked_fill(~mask, 0.0)
    grad_s = grad_scores(p, grad_y @ v.mT)
    return grad_s @ k, grad_s.mT @ q, p.mT @ grad_y, None
