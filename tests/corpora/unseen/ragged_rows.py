"""Rows of unequal number, and tokens that are sent to experts and back."""

import torch
from torch.nn import functional as F

from tests.random_inputs import normal, uniform

from .by_hand import Slip, by_hand


def pieces(x, lengths, width):
    """(start in x, rows that are kept) of each piece."""
    start, found = 0, []
    for length in lengths:
        found.append((start, min(length, width)))
        start += length
    return found


def padded(x, lengths, width):
    rows = [
        torch.cat([x[start : start + kept], x.new_zeros(width - kept, x.shape[1])])
        for start, kept in pieces(x, lengths.tolist(), width)
    ]
    return torch.stack(rows)


def lengths(*each, width):
    return lambda generator: (normal(generator, 7, 3), torch.tensor(each), width)


@by_hand(
    padded,
    lengths(2, 4, 1, width=2),
    Slip(
        "rows cut off",
        ("uninitialised-memory",),
        "rows that were cut off are never written into torch.empty",
        "pytorch/FBGEMM#5754",
        ordinary=lengths(2, 3, 2, width=3),
    ),
)
def pack_segments(slip):
    def forward(ctx, x, lengths, width):
        ctx.pieces, ctx.shape = pieces(x, lengths.tolist(), width), x.shape
        y = x.new_zeros(len(lengths), width, x.shape[1])
        for row, (start, kept) in zip(y, ctx.pieces, strict=True):
            row[:kept] = x[start : start + kept]
        return y

    def backward(ctx, grad_y):
        grad_x = (torch.empty if slip else torch.zeros)(ctx.shape, dtype=grad_y.dtype)
        for grad_row, (start, kept) in zip(grad_y, ctx.pieces, strict=True):
            grad_x[start : start + kept] = grad_row[:kept]
        return grad_x, None, None

    return forward, backward


@by_hand(
    lambda x, order: x[order],
    lambda generator: (normal(generator, 7, 3), torch.tensor([3, 0, 5, 1, 6, 2, 4])),
    Slip(
        "not inverted",
        ("transposed", "missing-local-derivative"),
        "backward applies the permutation, not its inverse",
        "permutations of tokens in Megatron and TransformerEngine",
    ),
)
def permute_tokens(slip):
    def forward(ctx, x, order):
        ctx.save_for_backward(order)
        return x[order]

    def backward(ctx, grad_y):
        (order,) = ctx.saved_tensors
        return grad_y[order if slip else order.argsort()], None

    return forward, backward


def combined(x, gate, token):
    return F.one_hot(token).to(x.dtype).t() @ (x * gate[:, None])


@by_hand(
    combined,
    lambda generator: (
        normal(generator, 6, 4),
        uniform(generator, 0.0, 1.0, 6),
        torch.tensor([0, 1, 2, 0, 2, 1]),
    ),
    Slip(
        "mean for the gate",
        ("constant-factor",),
        "the gate's gradient is a mean over the width, not a sum",
        "combining kernels of mixtures of experts",
    ),
)
def combine_experts(slip):
    def forward(ctx, x, gate, token):  # x (slots, width), gate and token (slots,)
        ctx.save_for_backward(x, gate, token)
        y = x.new_zeros(int(token.max()) + 1, x.shape[1])
        return y.index_add_(0, token, x * gate[:, None])

    def backward(ctx, grad_y):
        x, gate, token = ctx.saved_tensors
        through_gate = grad_y[token] * x
        grad_gate = through_gate.mean(1) if slip else through_gate.sum(1)
        return grad_y[token] * gate[:, None], grad_gate, None

    return forward, backward


@by_hand(
    lambda x, sizes: torch.stack([piece.sum(0) for piece in torch.split(x, sizes)]),
    lambda generator: (normal(generator, 6, 3), [1, 3, 2]),
)
def sum_of_pieces(_):
    """A list is an argument."""

    def forward(ctx, x, sizes):
        ctx.sizes = sizes
        return torch.stack([piece.sum(0) for piece in x.split(sizes)])

    def backward(ctx, grad_y):
        spread = [grad_y[k : k + 1].expand(n, -1) for k, n in enumerate(ctx.sizes)]
        return torch.cat(spread), None

    return forward, backward
