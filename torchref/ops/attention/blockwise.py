"""Attention block by block, of which no more than a block of the weights is ever held."""

import torch

from torchref.ops.attention.attention import scores_tangent
from torchref.ops.attention.blocks import SumOfBlocks, cuts, part, part_of_mask, seen
from torchref.ops.attention.counted_dropout import dropout_factors, dropped_out
from torchref.ops.attention.scores import finite_or_zero, or_one, scores
from torchref.ops.op import RoundedOnce, save


class BlockwiseAttention(RoundedOnce):
    r"""y = [D(P) V, ℓ, r]: `Attention` and ℓ = ln Σ exp S as further columns, block by block.

    Derivation: over the blocks of keys that a block of queries sees, three things are kept: the
    largest score t, n = Σ exp(S − t) and A = Σ D(exp(S − t)) V. Where the next block has a larger
    score t′, n and A are multiplied by exp(t − t′). In the end D(P) V = A / n and ℓ = t + ln n.
    Backward computes P = exp(S − ℓ) of each block anew. With G = ∂L/∂(D(P) V) and γ = ∂L/∂ℓ, the
    sum that the softmax takes over a row is known before: Σ P D(G Vᵀ) = Σ G D(P) V. By ∂ℓ/∂S = P,
        ∂L/∂S = P (D(G Vᵀ) − Σ G D(P) V + γ),
    and all else is as in `Attention`, added up over the blocks. D numbers its choices, so that each
    block finds its own again. ℓ is part of the output because backward reads it: as an intermediate
    it would be a constant to a second backward. r is what ℓ has lost by its rounding, the 0 that
    t + ln n − ℓ is but for that: P = exp(S − ℓ − r) has all its digits where scores are large, and
    where a mask of −1e9 hides a whole row, whose ℓ is −1e9 without ln n. Its slope is 0.
    Shapes: as of `Attention`, y (..., L, F + 2); a block is of block_size queries and keys.
    Saves query, key, value, mask, seed and y: the memory grows with L + S, where that of the scores
    grows with L S. A backward that is itself differentiated keeps its blocks.
    Source: Milakov and Gimelshein 2018 (the sums); Dao et al. 2022, algorithms 1 and 4.

    >>> x = torch.tensor([[0.0], [0.0], [3.0]])
    >>> BlockwiseAttention.call(x, x, x + 1, None, None, 1.0, True, 0.0, 2)[:, :2]
    tensor([[1.0000, 0.0000],
            [1.0000, 0.6931],
            [3.9993, 9.0002]])
    """

    @staticmethod
    def forward(query, key, value, mask, seed, scale, is_causal, dropout_p, block_size):
        given = (x for x in (query, key, value, mask) if x is not None)
        batches = torch.broadcast_shapes(*(x.shape[:-2] for x in given))
        size, options = value.shape[-1], (scale, is_causal, dropout_p)
        outputs = [query.new_zeros(*batches, 0, size + 2)]
        for rows in cuts(query.shape[-2], block_size):
            top = query.new_full((*batches, len(rows), 1), -torch.inf)
            total, summed = torch.zeros_like(top), query.new_zeros(*batches, len(rows), size)
            for columns in seen(rows, cuts(key.shape[-2], block_size), is_causal):
                s = scores_of_block(query, key, mask, options, rows, columns)
                factors = dropout_factors(s, seed, dropout_p, rows, columns)
                higher = torch.maximum(top, s.amax(-1, keepdim=True))
                shrunk = torch.exp(top - finite_or_zero(higher))
                raised = torch.exp(s - finite_or_zero(higher))
                total = shrunk * total + raised.sum(-1, keepdim=True)
                summed = shrunk * summed + dropped_out(raised, factors) @ part(value, columns)
                top = higher
            total = or_one(total)
            logsumexp = top + total.log()
            lost = finite_or_zero(top) - finite_or_zero(logsumexp) + total.log()
            outputs.append(torch.cat((summed / total, logsumexp, lost), -1))
        return torch.cat(outputs, -2)

    @staticmethod
    def setup_context(ctx, inputs, output):
        query, key, value, mask, seed, *ctx.options, ctx.block_size = inputs
        save(ctx, query, key, value, mask, seed, output)

    @staticmethod
    def backward(ctx, grad_y):
        query, key, value, mask, _, y = ctx.saved_tensors
        scale, is_causal, _ = ctx.options
        row_cuts, column_cuts = (cuts(x.shape[-2], ctx.block_size) for x in (query, key))
        of_query, of_key, of_value, of_mask = (
            SumOfBlocks(x, *along) if is_needed else None
            for is_needed, x, along in zip(
                ctx.needs_input_grad[:4],
                (query, key, value, mask),
                ((row_cuts,), (column_cuts,), (column_cuts,), (row_cuts, column_cuts)),
                strict=True,
            )
        )
        output, *_ = y.split((value.shape[-1], 1, 1), -1)
        grad_output, grad_logsumexp, _ = grad_y.split((value.shape[-1], 1, 1), -1)
        expected = (grad_output * output).sum(-1, keepdim=True) - grad_logsumexp
        for rows in row_cuts:
            g = part(grad_output, rows)
            for columns in seen(rows, column_cuts, is_causal):
                weights, factors = block_of_weights(ctx, rows, columns)
                if of_value:
                    of_value.add(dropped_out(weights, factors).mT @ g, columns)
                grad_weights = dropped_out(g @ part(value, columns).mT, factors)
                grad_scores = weights * (grad_weights - part(expected, rows))
                if of_query:
                    of_query.add(grad_scores @ (part(key, columns) * scale), rows)
                if of_key:
                    of_key.add(grad_scores.mT @ (part(query, rows) * scale), columns)
                if of_mask:
                    of_mask.add(grad_scores, rows, columns)
        sums = (of_query, of_key, of_value, of_mask)
        seed_and_options = None, None, None, None, None
        return *(None if x is None else x.joined() for x in sums), *seed_and_options

    @staticmethod
    def tangent(ctx, dquery, dkey, dvalue, dmask, _seed, *_):
        query, key, value, mask, _, y = ctx.saved_tensors
        scale, is_causal, _ = ctx.options
        output, logsumexp, _ = y.split((value.shape[-1], 1, 1), -1)
        tangents = [torch.zeros_like(y.narrow(-2, 0, 0))]
        for rows in cuts(query.shape[-2], ctx.block_size):
            dsummed, dlogsumexp = (torch.zeros_like(part(x, rows)) for x in (output, logsumexp))
            for columns in seen(rows, cuts(key.shape[-2], ctx.block_size), is_causal):
                weights, factors = block_of_weights(ctx, rows, columns)
                q, dq = (part(x, rows) for x in (query, dquery))
                k, dk = (part(x, columns) for x in (key, dkey))
                shown, dshown = (part_of_mask(x, rows, columns) for x in (mask, dmask))
                dscores = scores_tangent(q, dq, k, dk, shown, dshown, scale)
                moved = weights * dscores
                dlogsumexp = dlogsumexp + moved.sum(-1, keepdim=True)
                dsummed = dsummed + dropped_out(moved, factors) @ part(value, columns)
                dsummed = dsummed + dropped_out(weights, factors) @ part(dvalue, columns)
            doutput = dsummed - dlogsumexp * part(output, rows)
            tangents.append(torch.cat((doutput, dlogsumexp, torch.zeros_like(dlogsumexp)), -1))
        return torch.cat(tangents, -2)


def scores_of_block(query, key, mask, options, rows, columns):
    scale, is_causal, _ = options
    parts = part(query, rows), part(key, columns), part_of_mask(mask, rows, columns)
    return scores(*parts, scale, is_causal, rows, columns)


def block_of_weights(ctx, rows, columns):
    """P of a block, computed anew of ℓ, and what D multiplies it by."""
    query, key, _, mask, seed, y = ctx.saved_tensors
    s = scores_of_block(query, key, mask, ctx.options, rows, columns)
    _, logsumexp, lost = part(y, rows).split((y.shape[-1] - 2, 1, 1), -1)
    *_, dropout_p = ctx.options
    weights = torch.exp(s - finite_or_zero(logsumexp) - lost)
    return weights, dropout_factors(s, seed, dropout_p, rows, columns)
