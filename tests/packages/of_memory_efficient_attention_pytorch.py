"""memory_efficient_attention_pytorch: attention by tiles."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.packages.published import Draw, Shelf

plain = pytest.importorskip(
    "memory_efficient_attention_pytorch.flash_attention",
    reason="memory-efficient-attention-pytorch is not installed",
)
cosine = pytest.importorskip("memory_efficient_attention_pytorch.cosine_sim_flash_attention")
FUNCTIONS = Shelf("memory_efficient_attention_pytorch")


def heads(draw: Draw, queries: int, keys: int, dim: int) -> tuple[Tensor, Tensor, Tensor]:
    return (
        draw.normal(2, 3, queries, dim),
        draw.normal(2, 3, keys, dim),
        draw.normal(2, 3, keys, dim),
    )


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return (q @ k.mT * q.shape[-1] ** -0.5).softmax(-1) @ v


def causal_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    later = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool).triu(
        1 + max(k.shape[-2] - q.shape[-2], 0)
    )
    scores = q @ k.mT * q.shape[-1] ** -0.5
    return scores.masked_fill(later, -torch.inf).softmax(-1) @ v


@FUNCTIONS.holds(lambda draw: heads(draw, 11, 13, 8), attention)
def flash_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return plain.FlashAttentionFunction.apply(q, k, v, None, False, 4, 5)


@FUNCTIONS.holds(
    lambda draw: heads(draw, 9, 9, 5),
    causal_attention,
    domain=lambda q, k, _v: q.shape[-2] == k.shape[-2],
    because="it attends to itself; with fewer queries than keys its mask is wrong",
)
def causal_flash_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return plain.FlashAttentionFunction.apply(q, k, v, None, True, 4, 3)


@FUNCTIONS.holds(lambda draw: heads(draw, 7, 10, 6))
def cosine_similarity_flash_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    q, k = F.normalize(q, dim=-1), F.normalize(k, dim=-1)
    return cosine.FlashAttentionFunction.apply(q, k, v, None, 8.0, False, 4, 5)
