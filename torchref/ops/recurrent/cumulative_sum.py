"""Running sums."""

import torch
from torch import Tensor

from torchref.ops.op import Op


def turned(x: Tensor, dim: int) -> Tensor:
    """From its end to its beginning; vmap turns no single number, as cumsum sums it."""
    return x.flip(dim) if x.dim() else x


class CumulativeSum(Op):
    r"""y_t = x_1 + … + x_t along dim.

    Derivation: x_s is in every sum from s on, ∂y_t/∂x_s = 1 for t ≥ s, so
    ∂L/∂x_s = Σ_{t ≥ s} ∂L/∂y_t: the same sum from the other end.
    Shapes: x and y alike, any.
    Saves nothing: the map is linear.
    Source: `torch.cumsum`.

    >>> CumulativeSum.call(torch.tensor([1.0, 2.0, 4.0]), 0)
    tensor([1., 3., 7.])
    """

    @staticmethod
    def forward(x, dim):
        return torch.cumsum(x, dim)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _, ctx.dim = inputs

    @staticmethod
    def backward(ctx, grad_y):
        return turned(CumulativeSum.call(turned(grad_y, ctx.dim), ctx.dim), ctx.dim), None  # dim

    @staticmethod
    def tangent(ctx, dx, _):
        return CumulativeSum.call(dx, ctx.dim)
