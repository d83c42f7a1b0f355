"""Rows of unequal number, and tokens that are sent to experts and back."""

import torch
from torch.nn import functional as F

from tests.random_inputs import normal, uniform

from .by_hand import backward_of, wrong


def pieces(lengths, width):
    """(start in x, rows that are kept) of each piece."""
    start, found = 0, []
    for length in lengths.tolist():
        found.append((start, min(length, width)))
        start += length
    return found


def padded(x, lengths, width):
    rows = [
        torch.cat([x[start : start + kept], x.new_zeros(width - kept, x.shape[1])])
        for start, kept in pieces(lengths, width)
    ]
    return torch.stack(rows)


def lengths(*each, width):
    return lambda generator: (normal(generator, 7, 3), torch.tensor(each), width)


def pack_segments_forward(x, lengths, width):
    y = x.new_zeros(len(lengths), width, x.shape[1])
    for row, (start, kept) in zip(y, pieces(lengths, width), strict=True):
        row[:kept] = x[start : start + kept]
    return y


@wrong(
    "rows cut off",
    ("uninitialised-memory",),
    "rows that were cut off are never written into torch.empty",
    "pytorch/FBGEMM#5754",
    ordinary=lengths(2, 3, 2, width=3),
)
@backward_of(padded, lengths(2, 4, 1, width=2), forward=pack_segments_forward)
def pack_segments(slip, grad_y, x, lengths, width):
    grad_x = (torch.empty if slip else torch.zeros)(x.shape, dtype=grad_y.dtype)
    for grad_row, (start, kept) in zip(grad_y, pieces(lengths, width), strict=True):
        grad_x[start : start + kept] = grad_row[:kept]
    return grad_x, None, None


@wrong(
    "not inverted",
    ("transposed", "missing-local-derivative"),
    "backward applies the permutation, not its inverse",
    "permutations of tokens in Megatron and TransformerEngine",
)
@backward_of(
    lambda x, order: x[order],
    lambda generator: (normal(generator, 7, 3), torch.tensor([3, 0, 5, 1, 6, 2, 4])),
)
def permute_tokens(slip, grad_y, order):
    return grad_y[order if slip else order.argsort()], None


def combined(x, gate, token):
    return F.one_hot(token).to(x.dtype).t() @ (x * gate[:, None])


def combine_experts_forward(x, gate, token):
    y = x.new_zeros(int(token.max()) + 1, x.shape[1])
    return y.index_add_(0, token, x * gate[:, None])


@wrong(
    "mean for the gate",
    ("constant-factor",),
    "the gate's gradient is a mean over the width, not a sum",
    "combining kernels of mixtures of experts",
)
@backward_of(
    combined,
    lambda generator: (
        normal(generator, 6, 4),
        uniform(generator, 0.0, 1.0, 6),
        torch.tensor([0, 1, 2, 0, 2, 1]),
    ),
    forward=combine_experts_forward,
)
def combine_experts(slip, grad_y, x, gate, token):  # x (slots, width), gate and token (slots,)
    through_gate = grad_y[token] * x
    grad_gate = through_gate.mean(1) if slip else through_gate.sum(1)
    return grad_y[token] * gate[:, None], grad_gate, None


@backward_of(
    lambda x, sizes: torch.stack([piece.sum(0) for piece in x.split(sizes)]),
    lambda generator: (normal(generator, 6, 3), [1, 3, 2]),
)
def sum_of_pieces(_, grad_y, sizes):
    """A list is an argument."""
    spread = [grad_y[k : k + 1].expand(n, -1) for k, n in enumerate(sizes)]
    return torch.cat(spread), None
