"""Vectors divided by their own norm."""

import math

import torch
from torch import Tensor

from torchref.ops.op import RoundedOnce, save


def divisor(x: Tensor, p: float, dims: tuple[int, ...], eps: float) -> tuple[Tensor, Tensor]:
    """max(‖x‖, ε), and where it is ε: there the norm is not asked for its slope, 0/0 at x = 0."""
    is_short = torch.linalg.vector_norm(x, p, dims, keepdim=True) < eps
    norm = torch.linalg.vector_norm(torch.where(is_short, 1, x), p, dims, keepdim=True)
    return torch.where(is_short, eps, norm), is_short


def norm_slope(x: Tensor, norm: Tensor, p: float, dims: tuple[int, ...]) -> Tensor:
    """∂‖x‖/∂x_i: sign(x_i) (|x_i| / ‖x‖)^(p − 1), and for p = ∞ shared by all that are largest."""
    size = x.abs()
    if p == math.inf:
        is_largest = size == norm
        return x.sign() * is_largest / is_largest.sum(dims, keepdim=True)
    if p < 2:  # the power of a zero entry is infinite, and its sign takes it away
        share = torch.where(x == 0, 1, size / norm)
        return x.sign() * share ** (p - 1)
    return x / norm * (size / norm) ** (p - 2)  # of a zero entry differentiable, unlike its sign


class UnitNorm(RoundedOnce):
    r"""y = x / max(‖x‖, ε) with the norm ‖x‖ = (Σ |x_i|^p)^(1/p) over `dims`.

    Derivation: where ‖x‖ ≥ ε, with s_i = ∂‖x‖/∂x_i = sign(x_i) (|x_i| / ‖x‖)^(p − 1),
    ∂y_j/∂x_i = δ_ij / ‖x‖ − x_j s_i / ‖x‖² = (δ_ij − y_j s_i) / ‖x‖, so with g = ∂L/∂y
        ∂L/∂x = (g − s Σ g y) / ‖x‖:
    for p = 2, where s = y, g without its part along y. A shorter x is divided by the constant ε,
    and ∂L/∂x = g / ε: also at x = 0, where the norm has no slope.
    Shapes: x and y alike, any; p > 0 or ∞; dims not empty.
    Saves x: what is divided by is computed anew, as in `Standardisation`.
    Source: `torch.nn.functional.normalize`.

    >>> UnitNorm.call(torch.tensor([[3.0, 4.0], [0.0, 0.0]]), 2.0, (-1,), 1e-12)
    tensor([[0.6000, 0.8000],
            [0.0000, 0.0000]])
    """

    @staticmethod
    def forward(x, p, dims, eps):
        return x / divisor(x, p, dims, eps)[0]

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, ctx.p, ctx.dims, ctx.eps = inputs
        save(ctx, x)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        length, is_short = divisor(x, ctx.p, ctx.dims, ctx.eps)
        slope = torch.where(is_short, 0, norm_slope(x, length, ctx.p, ctx.dims))
        along_y = (grad_y * (x / length)).sum(ctx.dims, keepdim=True)
        return (grad_y - slope * along_y) / length, None, None, None  # p, dims, eps

    @staticmethod
    def tangent(ctx, dx, _p, _dims, _eps):
        (x,) = ctx.saved_tensors
        length, is_short = divisor(x, ctx.p, ctx.dims, ctx.eps)
        slope = torch.where(is_short, 0, norm_slope(x, length, ctx.p, ctx.dims))
        dlength = (slope * dx).sum(ctx.dims, keepdim=True)
        return (dx - x / length * dlength) / length
