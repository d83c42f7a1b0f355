"""Rotary positions, tables of rows, bags of rows."""

import torch
from torch.nn import functional as F

from tests.random_inputs import normal

from .by_hand import backward_of, wrong


def angles(length, width, offset):
    frequency = 1.0 / 10000 ** (torch.arange(0, width, 2, dtype=torch.float64) / width)
    angle = (torch.arange(length) + offset).double()[:, None] * frequency
    return torch.cat([angle, angle], -1)


def quarter_turn(x):
    left, right = x.chunk(2, -1)
    return torch.cat([-right, left], -1)


def rotated(x, offset):
    turn = angles(x.shape[-2], x.shape[-1], offset)
    return x * turn.cos() + quarter_turn(x) * turn.sin()


@wrong(
    "same sign",
    ("transposed", "missing-term"),
    "sin is not negated: backward rotates forwards once more",
    "tenstorrent/tt-mlir#9363",
    tripping=lambda generator: (normal(generator, 2, 5, 4), 0),
)
@wrong(
    "no offset",
    ("missing-local-derivative",),
    "backward counts positions from 0 whatever the offset",
    "offsets of a key-value cache in fused rotary kernels",
    ordinary=lambda generator: (normal(generator, 2, 5, 4), 0),
)
@backward_of(rotated, lambda generator: (normal(generator, 2, 5, 4), 3))
def rotary_embedding(slip, grad_y, offset):
    turn = angles(grad_y.shape[-2], grad_y.shape[-1], 0 if slip == "no offset" else offset)
    sin = turn.sin() if slip == "same sign" else -turn.sin()
    return grad_y * turn.cos() + quarter_turn(grad_y) * sin, None


@wrong(
    "repeated row",
    ("wrong-elements", "missing-term"),
    "assignment instead of accumulation where a row repeats",
    "pytorch/pytorch#1631",
    ordinary=lambda generator: (normal(generator, 7, 3), torch.tensor([[5, 1], [0, 3]])),
)
@backward_of(
    lambda weight, rows: F.embedding(rows, weight),
    lambda generator: (normal(generator, 7, 3), torch.tensor([[5, 1], [5, 3]])),
    forward=lambda weight, rows: weight[rows],
)
def embedding(slip, grad_y, weight, rows):
    grad_weight = grad_y.new_zeros(weight.shape)
    rows, grad_rows = rows.reshape(-1), grad_y.reshape(-1, grad_y.shape[-1])
    if slip:
        grad_weight[rows] = grad_rows
    else:
        grad_weight.index_add_(0, rows, grad_rows)
    return grad_weight, None


def bags(offsets, rows):
    return list(zip(offsets.tolist(), [*offsets[1:].tolist(), len(rows)], strict=True))


def divisor(mode, start, end):
    return 1 if mode == "sum" else max(1, end - start)


def embedding_bag_forward(weight, rows, offsets, mode):
    pooled = [weight[rows[a:b]].sum(0) / divisor(mode, a, b) for a, b in bags(offsets, rows)]
    return torch.stack(pooled)


@backward_of(
    lambda weight, rows, offsets, mode: F.embedding_bag(rows, weight, offsets, mode=mode),
    lambda generator: (
        normal(generator, 6, 3),
        torch.tensor([0, 5, 5, 2, 1]),
        torch.tensor([0, 2, 4]),
        "mean",
    ),
    forward=embedding_bag_forward,
)
def embedding_bag(_, grad_y, weight, rows, offsets, mode):
    grad_weight = grad_y.new_zeros(weight.shape)
    for grad, (a, b) in zip(grad_y, bags(offsets, rows), strict=True):
        spread = (grad / divisor(mode, a, b)).expand(b - a, -1)
        grad_weight = grad_weight.index_add(0, rows[a:b], spread)
    return grad_weight, None, None, None
