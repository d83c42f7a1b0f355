"""Attention of several heads."""

import torch
from torch import Tensor

from torchref import functional
from torchref.functional.admission import require, shape


class MultiheadAttention(torch.nn.MultiheadAttention):
    """Attention of heads of their own features; see `functional.scaled_dot_product_attention`.

    With `need_weights` the weights are those after the dropout, as torch's. A query that sees no
    key gets 0 before the last affine map, where torch's is NaN with `need_weights`. No mask hides
    the keys that `add_bias_kv` and `add_zero_attn` append; torch's `is_causal` does so where it
    drops attn_mask.
    """

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        require(
            attn_mask is not None or not is_causal,
            "MultiheadAttention: is_causal is a hint beside attn_mask, and must come with it",
            "it came alone",
            "nn.Transformer.generate_square_subsequent_mask(length) makes the mask.",
        )
        is_batched = query.dim() == 3
        require_sequences(is_batched, query, key, value, key_padding_mask)
        if not is_batched:
            query, key, value = (x.unsqueeze(0) for x in (query, key, value))
            key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
        elif not self.batch_first:
            query, key, value = (x.transpose(0, 1) for x in (query, key, value))
        q, k, v = self.projected(query, key, value)
        mask = self.merged_mask(q, k, key_padding_mask, attn_mask)
        k, v, mask = self.appended(k, v, mask)
        q, k, v = (x.unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for x in (q, k, v))
        dropout_p = self.dropout if self.training else 0.0
        weights = None
        if need_weights:
            each = torch.eye(k.shape[-2], dtype=k.dtype, device=k.device)
            weights = functional.scaled_dot_product_attention(q, k, each, mask, dropout_p)
            heads = functional.matmul(weights, v)
            weights = weights.mean(1) if average_attn_weights else weights
        else:
            heads = functional.scaled_dot_product_attention(q, k, v, mask, dropout_p)
        y = functional.linear(
            heads.transpose(1, 2).flatten(-2), self.out_proj.weight, self.out_proj.bias
        )
        if not is_batched:
            return y.squeeze(0), None if weights is None else weights.squeeze(0)
        return y if self.batch_first else y.transpose(0, 1), weights

    def projected(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, ...]:
        if self._qkv_same_embed_dim:
            matrices = self.in_proj_weight.chunk(3)
        else:
            matrices = self.q_proj_weight, self.k_proj_weight, self.v_proj_weight
        biases = (None,) * 3 if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        return tuple(map(functional.linear, (query, key, value), matrices, biases))

    def merged_mask(
        self, q: Tensor, k: Tensor, key_padding_mask: Tensor | None, attn_mask: Tensor | None
    ) -> Tensor | None:
        """What is added to the scores (N, heads, L, S): boolean masks are true where they hide."""
        batch, queries, keys = q.shape[0], q.shape[1], k.shape[1]
        mask = None
        if attn_mask is not None:
            of_all, of_each = (queries, keys), (batch * self.num_heads, queries, keys)
            require(
                attn_mask.shape in (of_all, of_each),
                f"MultiheadAttention: attn_mask must have shape {of_all} or {of_each}",
                f"it has shape {shape(attn_mask)}",
                "It is (L, S), or one for each head of each example.",
            )
            mask = added(attn_mask, q)
            mask = mask.unflatten(0, (batch, -1)) if mask.dim() == 3 else mask
        if key_padding_mask is not None:
            of_keys = added(key_padding_mask, q)[:, None, None]
            mask = of_keys if mask is None else mask + of_keys
        return mask

    def appended(
        self, k: Tensor, v: Tensor, mask: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """With the learnt key and value, and those of zeros, where the layer has them."""
        further = []
        if self.bias_k is not None and self.bias_v is not None:
            further.append((self.bias_k, self.bias_v))
        if self.add_zero_attn:
            further.append((k.new_zeros(1, 1, k.shape[-1]), v.new_zeros(1, 1, v.shape[-1])))
        for one_k, one_v in further:
            k, v = (
                torch.cat((x, one.to(x.dtype).expand(x.shape[0], 1, x.shape[-1])), 1)
                for x, one in ((k, one_k), (v, one_v))
            )
            if mask is not None:
                mask = torch.nn.functional.pad(mask, (0, 1))
        return k, v, mask


def added(mask: Tensor, like: Tensor) -> Tensor:
    if mask.dtype != torch.bool:
        return mask.to(like.dtype)
    return torch.zeros_like(mask, dtype=like.dtype).masked_fill(mask, -torch.inf)


def require_sequences(
    is_batched: bool, query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None
) -> None:
    ranks = {x.dim() for x in (query, key, value)}
    require(
        ranks in ({2}, {3}),
        "MultiheadAttention: query, key and value must have three dimensions, or two each",
        f"they have shapes {shape(query)}, {shape(key)} and {shape(value)}",
        "Without a batch they are (L, E), (S, E) and (S, E).",
    )
    require(
        key_padding_mask is None or key_padding_mask.dim() == 1 + is_batched,
        "MultiheadAttention: key_padding_mask must be (N, S), or (S) without a batch",
        f"it has shape {shape(key_padding_mask)}",
        "It hides keys of an example; attn_mask hides keys from queries.",
    )
