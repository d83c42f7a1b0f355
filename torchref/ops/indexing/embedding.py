"""A table of vectors, of which some are taken by their row."""

import torch
from torch import Tensor

from torchref.ops.indexing.slices import IndexAdd, IndexSelect
from torchref.ops.op import RoundedOnce, save


class Embedding(RoundedOnce):
    r"""y_n = W_{index_n}, a row of the table for each index.

    Derivation: it is the product of W with a one-hot row for each index, so with g = ∂L/∂y

        ∂L/∂W_r = Σ_n [index_n = r] g_n:

    rows that were taken twice get both gradients, and rows that were not taken none.
    Two conventions of torch depart from it. The row padding_idx is a constant: its gradient is 0,
    though y depends on it. And scale_grad_by_freq divides by how often a row was taken, which makes
    the sum a mean. The tangent is that of the same map.
    Shapes: weight (V, D), index any; y (*index, D). padding_idx from 0 to V − 1, or None.
    Saves index: the map is linear.
    Source: `torch.nn.functional.embedding`.

    >>> weight = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> Embedding.call(weight, torch.tensor([1, 0, 1]), None, False)
    tensor([[3., 4.],
            [1., 2.],
            [3., 4.]])
    """

    @staticmethod
    def forward(weight, index, padding_idx, scale_grad_by_freq):
        return rows(weight, index)

    @staticmethod
    def setup_context(ctx, inputs, output):
        weight, index, *ctx.conventions = inputs
        ctx.shape = weight.shape
        save(ctx, index)

    @staticmethod
    def backward(ctx, grad_y):
        (index,) = ctx.saved_tensors
        entries, width = ctx.shape
        shares = share(grad_y, index, entries, *ctx.conventions).reshape(index.numel(), width)
        zeros = grad_y.new_zeros(ctx.shape)
        return IndexAdd.call(zeros, index.reshape(-1), shares, 0, 1), None, None, None

    @staticmethod
    def tangent(ctx, dweight, _index, *_):
        (index,) = ctx.saved_tensors
        return share(rows(dweight, index), index, ctx.shape[0], *ctx.conventions)


def rows(weight: Tensor, index: Tensor) -> Tensor:
    taken = IndexSelect.call(weight, index.reshape(-1), 0)
    return taken.reshape(*index.shape, weight.shape[1])


def share(
    g: Tensor, index: Tensor, entries: int, padding_idx: int | None, scale_grad_by_freq: bool
) -> Tensor:
    """What of g counts for the row that was taken: nothing of padding, a part of what repeats."""
    if scale_grad_by_freq:
        flat = index.reshape(-1)
        count = flat.new_zeros(entries).index_add(0, flat, torch.ones_like(flat))
        g = g / count.index_select(0, flat).reshape(*index.shape, 1)
    if padding_idx is not None:
        g = torch.where((index == padding_idx).unsqueeze(-1), 0, g)
    return g
