"""An index for each entry: taking entries and adding to entries are each other's transpose.

Written for dim 0, as in torch's documentation; along another dimension the index stands there.
"""

import torch
from torch import Tensor

from torchref.ops.op import Op, save


class Gather(Op):
    r"""y_ij = x_{index_ij, j}, for dim 0.

    Derivation: ∂y_ij/∂x_rj = 1 where index_ij = r, and else 0. An entry of x may be taken many
    times, or never, so with g = ∂L/∂y

        ∂L/∂x_rj = Σ_i [index_ij = r] g_ij:

    g added up into zeros, `ScatterAdd`. A gradient that is written there and not added keeps one
    of the summands.
    Shapes: x any, index of as many dimensions and, but along dim, no larger; y as index.
    Saves index: the map is linear, so that x is in no derivative.
    Source: `torch.gather`.

    >>> Gather.call(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[0, 0, 1], [1, 1, 1]]), 1)
    tensor([[1., 1., 2.],
            [4., 4., 4.]])
    """

    @staticmethod
    def forward(x, index, dim):
        return x.gather(dim, index)

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, index, ctx.dim = inputs
        ctx.shape = x.shape
        save(ctx, index)

    @staticmethod
    def backward(ctx, grad_y):
        (index,) = ctx.saved_tensors
        zeros = grad_y.new_zeros(ctx.shape)
        return ScatterAdd.call(zeros, index, grad_y, ctx.dim), None, None  # index, dim

    @staticmethod
    def tangent(ctx, dx, _index, _dim):
        (index,) = ctx.saved_tensors
        return Gather.call(dx, index, ctx.dim)


class ScatterAdd(Op):
    r"""y_rj = x_rj + Σ_i [index_ij = r] src_ij, for dim 0.

    Derivation: y has x in each entry once, and each entry of src in one entry, so with g = ∂L/∂y
    ∂L/∂x = g and ∂L/∂src_ij = g_{index_ij, j}: g at the place where src_ij went, `Gather`. What of
    src lies beyond index went nowhere and has the gradient 0.
    Shapes: x and y alike, any; index of as many dimensions, no larger than src and, but along dim,
    no larger than x.
    Saves index: the map is linear.
    Source: `torch.scatter_add`.

    >>> ScatterAdd.call(torch.zeros(3), torch.tensor([2, 0, 2]), torch.tensor([1.0, 10.0, 5.0]), 0)
    tensor([10.,  0.,  6.])
    """

    @staticmethod
    def forward(x, index, src, dim):
        return x.scatter_add(dim, index, src)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _, index, src, ctx.dim = inputs
        ctx.shape = src.shape
        save(ctx, index)

    @staticmethod
    def backward(ctx, grad_y):
        (index,) = ctx.saved_tensors
        need_x, _, need_src, _ = ctx.needs_input_grad
        grad_src = None
        if need_src:
            grad_src = followed_by_zeros(Gather.call(grad_y, index, ctx.dim), ctx.shape)
        return grad_y if need_x else None, None, grad_src, None

    @staticmethod
    def tangent(ctx, dx, _index, dsrc, _dim):
        (index,) = ctx.saved_tensors
        return ScatterAdd.call(dx, index, dsrc, ctx.dim)


def followed_by_zeros(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """x as the first entries of a tensor of this shape."""
    missing = [size - mine for mine, size in zip(x.shape, shape, strict=True)]
    behind = [(0, size) for size in reversed(missing)]
    pad = [size for pair in behind for size in pair]
    return torch.nn.functional.pad(x, pad) if any(missing) else x
