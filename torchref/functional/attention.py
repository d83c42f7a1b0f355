"""Attention under torch's signature, and the rotary embedding of positions."""

import math

import torch
from torch import Tensor

from torchref.errors import InputError
from torchref.functional.admission import (
    autocast_off,
    broadcasts,
    fails_somewhere,
    require,
    require_broadcastable,
    require_real_tensors,
    require_same_kind,
    require_tensor,
    shape,
    to_autocast_dtype,
)
from torchref.ops import Attention, BlockwiseAttention, Op, Rotary
from torchref.ops.op import widened


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(Q Kᵀ / √E + mask) V, as `torch.nn.functional.scaled_dot_product_attention`.

    Shapes: query (..., L, E), key (..., S, E), value (..., S, F), y (..., L, F); attn_mask
    broadcastable to (..., L, S), true where a boolean one lets a key be seen, and else added. The
    last dimension before L and S is that of the heads; with `enable_gqa` those of key and value
    divide those of query, whose groups share them. A query that sees no key gets 0. Dropout takes
    place whenever dropout_p is not 0; which weights it takes depends on torch's seed, by numbers
    of its own. It computes in float32 for lower dtypes; under autocast its inputs are rounded to
    autocast's dtype first. See `torchref.ops.Attention`.

    >>> x = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> scaled_dot_product_attention(x, x, x, is_causal=True, scale=1e4)
    tensor([[1., 0.],
            [0., 1.]])
    """
    name = "scaled_dot_product_attention"
    options = dropout_p, is_causal, scale, enable_gqa
    return attended(name, Attention, (), query, key, value, attn_mask, *options)


def blockwise_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    block_size: int = 128,
) -> Tensor:
    """`scaled_dot_product_attention` in memory that grows with L + S: the same in all else.

    block_size queries and keys are taken at a time; dropout under the same seed is the same. See
    `torchref.ops.BlockwiseAttention`.

    >>> x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> blockwise_attention(x, x, x, is_causal=True, scale=1e4, block_size=2)
    tensor([[1., 0.],
            [0., 1.],
            [1., 1.]])
    """
    name = "blockwise_attention"
    require(
        isinstance(block_size, int) and block_size > 0,
        f"{name}: block_size must be a positive whole number",
        f"{block_size!r} arrived",
        "128 is usual: smaller takes longer, larger takes more memory.",
    )
    options = dropout_p, is_causal, scale, enable_gqa
    y = attended(name, BlockwiseAttention, (block_size,), query, key, value, attn_mask, *options)
    return y[..., :-2]


def attended(
    name: str,
    op: type[Op],
    further: tuple[int, ...],
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    dropout_p: float,
    is_causal: bool,
    scale: float | None,
    enable_gqa: bool,
) -> Tensor:
    """What all forms of attention do before and after the op, whose last options are `further`."""
    require_real_tensors(name, query=query, key=key, value=value)
    require(
        0 <= dropout_p <= 1,
        f"{name}: dropout_p must lie in [0, 1]",
        f"{dropout_p} arrived",
        "It is the chance of a weight to be dropped; 0.0 in evaluation.",
    )
    query, key, value = to_autocast_dtype(query, key, value)
    require_same_kind(name, query=query, key=key, value=value)
    low = query.dtype
    # Views, because Dynamo refuses a tensor that comes twice, as it does in self-attention.
    query, key, value = (widened(x).view_as(x) for x in (query, key, value))
    if mask is not None:
        mask = admitted_mask(name, mask, query, low, is_causal)
    require_matrices(name, query, key, value)
    if enable_gqa:
        query, key, value, mask = grouped(name, query, key, value, mask)
    require_batches(name, query, key, value, mask)
    if scale is None:
        scale = 1 / math.sqrt(max(query.shape[-1], 1))
    seed = torch.randint(2**62, (), device=query.device) if dropout_p > 0 else None
    with autocast_off(query):
        y = op.call(query, key, value, mask, seed, scale, is_causal, dropout_p, *further)
    return (y.flatten(-4, -3) if enable_gqa else y).to(low)


def admitted_mask(
    name: str, mask: Tensor, query: Tensor, low: torch.dtype, is_causal: bool
) -> Tensor:
    """Of two dimensions or more, boolean or of the dtype of query, which was `low` before."""
    require_tensor(name, "attn_mask", mask)
    require(
        not is_causal,
        f"{name}: attn_mask must be left out where is_causal hides the keys",
        "both arrived",
        "Write both as one mask: attn_mask & torch.ones_like(attn_mask).tril().",
    )
    mask = to_autocast_dtype(mask)[0] if mask.is_floating_point() else mask
    require(
        mask.dtype in (torch.bool, torch.float32, low) and mask.device == query.device,
        f"{name}: attn_mask must be boolean, float32 or of the dtype of query, on its device",
        f"it is {mask.dtype} on {mask.device}, and query {low} on {query.device}",
        "Convert it with .to(query); a boolean one is true where a key is seen.",
    )
    mask = mask if mask.dtype == torch.bool else mask.to(query.dtype)
    return mask if mask.dim() >= 2 else mask.reshape(1, -1)


def require_matrices(name: str, query: Tensor, key: Tensor, value: Tensor) -> None:
    require(
        min(query.dim(), key.dim(), value.dim()) >= 2
        and (query.shape[-1], key.shape[-2]) == (key.shape[-1], value.shape[-2]),
        f"{name}: query (..., L, E), key (..., S, E) and value (..., S, F) must agree in E and S",
        f"they have shapes {shape(query)}, {shape(key)} and {shape(value)}",
        "Heads come before lengths: (N, heads, L, E).",
    )


def grouped(
    name: str, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """Heads as (shared, group): each of key and value is broadcast to a group of query's."""
    heads, *its = (x.shape[-3] if x.dim() > 2 else 0 for x in (query, key, value))
    require(
        min(its) > 0 and all(heads % each == 0 for each in its),
        f"{name}: with enable_gqa the heads of key and value must divide those of query",
        f"query, key and value have shapes {shape(query)}, {shape(key)} and {shape(value)}",
        "Heads are the third dimension from the end.",
    )
    shared = math.lcm(*its)
    repeats = (shared // each for each in its)
    key, value = (
        (x if n == 1 else x.repeat_interleave(n, -3)).unsqueeze(-3)
        for x, n in zip((key, value), repeats, strict=True)
    )
    groups = shared, heads // shared
    if mask is not None and mask.dim() > 2:
        mask = mask.unflatten(-3, groups) if mask.shape[-3] == heads else mask.unsqueeze(-3)
    return query.unflatten(-3, groups), key, value, mask


def require_batches(
    name: str, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None
) -> None:
    require_broadcastable(name, query=query.shape[:-2], key=key.shape[:-2], value=value.shape[:-2])
    if mask is None:
        return
    batch = torch.broadcast_shapes(query.shape[:-2], key.shape[:-2])
    scores = (*batch, query.shape[-2], key.shape[-2])
    require(
        broadcasts(mask.shape, scores),
        f"{name}: attn_mask must broadcast to (..., L, S)",
        f"it has shape {shape(mask)} for scores of shape {scores}",
        "A mask of keys (N, S) is attn_mask[:, None, None] beside heads.",
    )


def rotary_embedding(
    input: Tensor,
    cos: Tensor,
    sin: Tensor,
    positions: Tensor | None = None,
    interleaved: bool = False,
) -> Tensor:
    """Pairs of features turned by the angles of their position; see `torchref.ops.Rotary`.

    Shapes: input (..., L, E); cos and sin (P, R) with 2 R ≤ E, a row for each position, of which
    the first L are taken or, with integer positions broadcastable to (..., L), those. Pair r is of
    the features r and R + r, or with `interleaved` of 2r and 2r + 1; what follows the first 2 R
    features stays. It computes in float32 for lower dtypes, whose cos and sin may be float32 too.

    >>> cos, sin = rotary_tables(2, 2)
    >>> rotary_embedding(torch.tensor([[1.0, 0.0], [1.0, 0.0]]), cos, sin)
    tensor([[1.0000, 0.0000],
            [0.5403, 0.8415]])
    """
    name = "rotary_embedding"
    require_real_tensors(name, input=input, cos=cos, sin=sin)
    require(
        cos.dim() == 2 and cos.shape == sin.shape,
        f"{name}: cos and sin must be tables (positions, pairs) of one shape",
        f"they have shapes {shape(cos)} and {shape(sin)}",
        "rotary_tables makes them.",
    )
    require(
        input.dim() >= 2 and 2 * cos.shape[-1] <= input.shape[-1],
        f"{name}: input must be (..., L, E) with two features for each of the {cos.shape[-1]} "
        "pairs of cos",
        f"it has shape {shape(input)}",
        "Tables whose columns are doubled for both halves are cos[:, : cos.shape[-1] // 2].",
    )
    if positions is None:
        require(
            input.shape[-2] <= cos.shape[0],
            f"{name}: cos and sin must have a row for each of the {input.shape[-2]} positions",
            f"they have {cos.shape[0]}",
            "Make longer tables, or say which rows by positions.",
        )
        cos, sin = cos[: input.shape[-2]], sin[: input.shape[-2]]
    else:
        require_positions(name, positions, input, cos.shape[0])
        cos, sin = cos[positions], sin[positions]
    x, cos, sin = (widened(each) for each in (input, cos, sin))
    require_same_kind(name, input=x, cos=cos, sin=sin)
    with autocast_off(x):
        return Rotary.call(x, cos, sin, interleaved).to(input.dtype)


def require_positions(name: str, positions: Tensor, input: Tensor, rows: int) -> None:
    require_tensor(name, "positions", positions)
    require(
        positions.dtype in (torch.int32, torch.int64),
        f"{name}: positions must be integers",
        f"they are {positions.dtype}",
        "Convert them: positions.long().",
    )
    require(
        broadcasts(positions.shape, input.shape[:-1]),
        f"{name}: positions must broadcast to input without its features, {shape(input)[:-1]}",
        f"they have shape {shape(positions)}",
        "Positions (N, L) are positions[:, None] beside heads.",
    )
    if fails_somewhere((positions >= 0) & (positions < rows)):
        raise InputError(
            f"{name}: positions must lie in [0, {rows - 1}], the rows of cos",
            f"they reach from {positions.min().item()} to {positions.max().item()}",
            "Make longer tables.",
        )


def rotary_tables(
    positions: int,
    features: int,
    base: float = 10000.0,
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> tuple[Tensor, Tensor]:
    """cos and sin of the angle n · base^(−2r / features), for position n and pair r.

    Shapes: (positions, features / 2) both. The angles are computed in float64.

    >>> rotary_tables(3, 2)[0]
    tensor([[ 1.0000],
            [ 0.5403],
            [-0.4161]])
    """
    require(
        features % 2 == 0,
        "rotary_tables: features must be even, two for each pair",
        f"{features} arrived",
        "Turn the first of them only: rotary_embedding leaves the others as they are.",
    )
    pair = torch.arange(features // 2, dtype=torch.float64, device=device)
    position = torch.arange(positions, dtype=torch.float64, device=device)
    angle = position.unsqueeze(-1) * base ** (-2 * pair / max(features, 1))
    kind = torch.get_default_dtype() if dtype is None else dtype
    return angle.cos().to(kind), angle.sin().to(kind)
