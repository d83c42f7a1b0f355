"""Attention and the rotary embedding of positions."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from torchref.catalogue.entry import Entry, Inputs, normal
from torchref.ops import Attention, BlockwiseAttention, Rotary
from torchref.ops.attention.counted_dropout import dropout_factors, dropped_out

Draw = tuple[Inputs, ...]


def scores_twin(
    query: Tensor, key: Tensor, mask: Tensor | None, scale: float, is_causal: bool
) -> Tensor:
    s = scale * torch.einsum("...le,...se->...ls", query, key)
    if is_causal:
        s = s.masked_fill(torch.ones_like(s, dtype=torch.bool).triu(1), -torch.inf)
    if mask is None:
        return s
    return s.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else s + mask


def attention_twin(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    seed: Tensor | None,
    scale: float,
    is_causal: bool,
    dropout_p: float,
) -> Tensor:
    """Composed: of torch's own not all can be differentiated twice, and its dropout is its own."""
    s = scores_twin(query, key, mask, scale, is_causal)
    hidden = (s == -torch.inf).all(-1, keepdim=True)
    weights = torch.softmax(s.masked_fill(hidden, 0), -1).masked_fill(hidden, 0)
    rows, columns = range(query.shape[-2]), range(key.shape[-2])
    return dropped_out(weights, dropout_factors(s, seed, dropout_p, rows, columns)) @ value


def blockwise_attention_twin(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    seed: Tensor | None,
    scale: float,
    is_causal: bool,
    dropout_p: float,
    _block_size: int,
) -> Tensor:
    y = attention_twin(query, key, value, mask, seed, scale, is_causal, dropout_p)
    s = scores_twin(query, key, mask, scale, is_causal)
    hidden = (s == -torch.inf).all(-1, keepdim=True)
    logsumexp = s.masked_fill(hidden, 0).logsumexp(-1, keepdim=True)
    logsumexp = logsumexp.masked_fill(hidden, -torch.inf)
    logsumexp = logsumexp.expand(*y.shape[:-1], 1)
    return torch.cat((y, logsumexp, torch.zeros_like(logsumexp)), -1)


def _attention_samples(g: Generator) -> Draw:
    query, key, value = normal(g, 2, 3, 4), normal(g, 2, 5, 4), normal(g, 2, 5, 3)
    shared = normal(g, 2, 1, 3, 4), normal(g, 1, 5, 4), normal(g, 3, 5, 2)
    shown = torch.rand(3, 5, generator=g) < torch.tensor([1.0, *(4 * [0.5])])  # the first always
    return (
        (query, key, value, None, None, 0.5, False, 0.0),
        (query, key, value, normal(g, 3, 5), None, 2.0, False, 0.0),
        (*shared, normal(g, 1, 5), torch.tensor(7), 0.5, True, 0.3),
        (query, key, value, shown, None, 0.5, False, 0.0),
    )


def _attention_tripping(g: Generator) -> Draw:
    query, key, value = normal(g, 4, 5), normal(g, 6, 5), normal(g, 6, 7)
    plain = None, None, 0.5, False, 0.0
    causal = None, None, 0.5, True, 0.0
    some = torch.tensor([[True], [False], [True], [False]])  # two queries see no key
    hidden = torch.zeros(4, 6, dtype=torch.float64)
    hidden[1:3, 2:] = -1e300
    return (
        (query, key, value, some, None, 0.5, False, 0.0),
        (query, key, value, hidden, None, 0.5, False, 0.0),
        (10 * query, 10 * key, value, *causal),
        (query[:1].expand(4, 5), key, value, *plain),
        (key, query, value[:4], *causal),
        (query, key, value, None, torch.tensor(3), 0.5, False, 1.0),
        (query[:0], key, value, *plain),
        (query, key[:0], value[:0], *causal),
        (query[:, :0], key[:, :0], value, *plain),
        (query[:1], key[:1], value[:1], *causal),
        (normal(g, 5, 4).T, normal(g, 5, 6).T, normal(g, 7, 6).T, normal(g, 1, 6), *plain[1:]),
    )


def _in_blocks(draw: Callable[[Generator], Draw]) -> Callable[[Generator], Draw]:
    """Of two or three queries and keys, of which the last has fewer, or one block of all."""

    def in_blocks(g: Generator) -> Draw:
        return tuple((*inputs, (8, 2, 2, 3)[n % 4]) for n, inputs in enumerate(draw(g)))

    return in_blocks


def rotary_twin(x: Tensor, cos: Tensor, sin: Tensor, is_interleaved: bool) -> Tensor:
    """As models write it: x cos + x′ sin, where x′ has (−b, a) for each pair (a, b)."""
    pairs = cos.shape[-1]
    turned, rest = x.split((2 * pairs, x.shape[-1] - 2 * pairs), -1)
    if is_interleaved:
        quarter = torch.stack((-turned[..., 1::2], turned[..., ::2]), -1).flatten(-2)
        cos, sin = cos.repeat_interleave(2, -1), sin.repeat_interleave(2, -1)
    else:
        quarter = torch.cat((-turned[..., pairs:], turned[..., :pairs]), -1)
        cos, sin = torch.cat((cos, cos), -1), torch.cat((sin, sin), -1)
    return torch.cat((turned * cos + quarter * sin, rest), -1)


def _angles(g: Generator, *shape: int) -> tuple[Tensor, Tensor]:
    angle = 3 * normal(g, *shape)
    return angle.cos(), angle.sin()


def _rotary_samples(g: Generator) -> Draw:
    return (
        (normal(g, 2, 5, 6), *_angles(g, 5, 3), False),
        (normal(g, 2, 5, 6), *_angles(g, 5, 3), True),
        (normal(g, 2, 5, 7), *_angles(g, 2, 1, 3), True),
        (normal(g, 5, 9), *_angles(g, 5, 2), False),
    )


def _rotary_tripping(g: Generator) -> Draw:
    quarter = torch.tensor([[0.0], [1.0], [0.0], [-1.0]], dtype=torch.float64)
    return (
        (normal(g, 4, 2), quarter, quarter.roll(1, 0), False),
        (normal(g, 4, 2), quarter, quarter.roll(1, 0), True),
        (normal(g, 5, 6), normal(g, 5, 3), normal(g, 5, 3), True),
        (normal(g, 0, 6), *_angles(g, 1, 3), False),
        (normal(g, 5, 4), *_angles(g, 5, 0), True),
        (normal(g, 6, 5).T, *(angle.T for angle in _angles(g, 3, 5)), True),
        (1e150 * normal(g, 1, 2).expand(5, 2), *_angles(g, 5, 1), False),
    )


ENTRIES = (
    Entry(Attention, attention_twin, _attention_samples, _attention_tripping),
    Entry(
        BlockwiseAttention,
        blockwise_attention_twin,
        _in_blocks(_attention_samples),
        _in_blocks(_attention_tripping),
    ),
    Entry(Rotary, rotary_twin, _rotary_samples, _rotary_tripping),
)
