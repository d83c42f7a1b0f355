"""Attention with all its weights at once."""

import torch

from torchref.ops.attention.counted_dropout import dropout_factors, dropped_out
from torchref.ops.attention.scores import ranges, scores, softmax_differential, weights_of
from torchref.ops.op import RoundedOnce, save


class Attention(RoundedOnce):
    r"""y = D(P) V with P = softmax(S), S = scale Q Kᵀ + mask, and the dropout D.

    Derivation: D multiplies each entry of P by a number that is given, 0 or 1 / (1 − p), so it is
    its own transpose. With G = ∂L/∂y, the products and the softmax give, one after the other,
        ∂L/∂V = D(P)ᵀ G,  ∂L/∂P = D(G Vᵀ),  ∂L/∂S = P (∂L/∂P − Σ P ∂L/∂P), the sum over a row,
        ∂L/∂Q = scale ∂L/∂S K,  ∂L/∂K = scale ∂L/∂Sᵀ Q,  ∂L/∂mask = ∂L/∂S,
    each summed over the batches that it was broadcast to. A hidden key has P = 0 and takes no
    part; in the row of a query that sees no key all is 0. `attention_steps` goes the long way.
    Shapes: query (..., L, E), key (..., S, E), value (..., S, F), mask broadcastable to
    (..., L, S) with two dimensions or more, or None, y (..., L, F); what stands before broadcasts.
    A boolean mask shows the keys where it is true, another is added. `is_causal` hides from query
    i all keys after the i-th. seed is a whole number in a tensor (), or None without dropout.
    Saves query, key, value, mask and seed: P is computed anew, as x̂ is in `Standardisation`.
    Source: Vaswani et al. 2017, equation 1; `torch.nn.functional.scaled_dot_product_attention`.

    >>> query, key = torch.tensor([[0.0, 0.0], [0.0, 1e4]]), torch.eye(2)
    >>> Attention.call(query, key, torch.tensor([[1.0], [3.0]]), None, None, 1.0, False, 0.0)
    tensor([[2.],
            [3.]])
    """

    @staticmethod
    def forward(query, key, value, mask, seed, scale, is_causal, dropout_p):
        weights, factors = weights_and_factors(query, key, mask, seed, scale, is_causal, dropout_p)
        return dropped_out(weights, factors) @ value

    @staticmethod
    def setup_context(ctx, inputs, output):
        query, key, value, mask, seed, *ctx.options = inputs
        save(ctx, query, key, value, mask, seed)

    @staticmethod
    def backward(ctx, grad_y):
        query, key, value, mask, seed = ctx.saved_tensors
        need_query, need_key, need_value, need_mask, *_ = ctx.needs_input_grad
        weights, factors = weights_and_factors(query, key, mask, seed, *ctx.options)
        scale, *_ = ctx.options
        grad_query = grad_key = grad_value = grad_mask = None
        if need_value:
            grad_value = (dropped_out(weights, factors).mT @ grad_y).sum_to_size(value.shape)
        if need_query or need_key or need_mask:
            grad_scores = softmax_differential(weights, dropped_out(grad_y @ value.mT, factors))
        if need_query:
            grad_query = (grad_scores @ (key * scale)).sum_to_size(query.shape)
        if need_key:
            grad_key = (grad_scores.mT @ (query * scale)).sum_to_size(key.shape)
        if need_mask:
            grad_mask = grad_scores.sum_to_size(mask.shape)
        return grad_query, grad_key, grad_value, grad_mask, None, None, None, None  # seed, options

    @staticmethod
    def tangent(ctx, dquery, dkey, dvalue, dmask, _seed, *_):
        query, key, value, mask, seed = ctx.saved_tensors
        weights, factors = weights_and_factors(query, key, mask, seed, *ctx.options)
        dscores = scores_tangent(query, dquery, key, dkey, mask, dmask, ctx.options[0])
        dweights = softmax_differential(weights, dscores)
        return dropped_out(dweights, factors) @ value + dropped_out(weights, factors) @ dvalue


def weights_and_factors(query, key, mask, seed, scale, is_causal, dropout_p):
    """P, and what D multiplies it by."""
    rows, columns = ranges(query, key)
    weights = weights_of(scores(query, key, mask, scale, is_causal, rows, columns))
    return weights, dropout_factors(weights, seed, dropout_p, rows, columns)


def scores_tangent(query, dquery, key, dkey, mask, dmask, scale):
    """dS = scale (dQ Kᵀ + Q dKᵀ) + dmask, where a mask is added."""
    dscores = scale * (dquery @ key.mT + query @ dkey.mT)
    return dscores if mask is None or mask.dtype == torch.bool else dscores + dmask
