"""The normalisation by the root mean square alone."""

import torch
from torch import Tensor

from torchref.ops.normalisation.scale_and_shift import (
    scale_and_shift_tangent,
    scale_gradient,
    scaled,
)
from torchref.ops.normalisation.standardisation import mean
from torchref.ops.op import RoundedOnce, save


def of_unit_square(x: Tensor, dims: tuple[int, ...], eps: float) -> tuple[Tensor, Tensor]:
    """x̂, whose squares have the mean 1 but for ε, and 1/ρ."""
    inverse_rms = torch.rsqrt(mean(x * x, dims) + eps)
    return x * inverse_rms, inverse_rms


class RMSNorm(RoundedOnce):
    r"""y = x̂ w with x̂ = x / ρ and ρ² = mean x² + ε, the mean over `dims`.

    Derivation: ∂ρ/∂x_i = x_i / (n ρ) = x̂_i / n, so ∂x̂_j/∂x_i = (δ_ij − x̂_i x̂_j / n) / ρ. With
    g = ∂L/∂x̂ = ∂L/∂y w this is

        ∂L/∂x = (g − x̂ mean(g x̂)) / ρ:

    `Standardisation` without what comes of the mean. w enters by g, and in both terms once.
    Shapes: x and y alike, any; weight broadcastable to x, or None; dims not empty.
    Saves x and weight: x̂ and ρ are computed anew, as in `Standardisation`.
    Source: Zhang and Sennrich 2019.

    >>> RMSNorm.call(torch.tensor([[3.0, 4.0]]), None, (-1,), 0.0)
    tensor([[0.8485, 1.1314]])
    """

    @staticmethod
    def forward(x, weight, dims, eps):
        x_hat, _ = of_unit_square(x, dims, eps)
        return scaled(x_hat, weight)

    @staticmethod
    def setup_context(ctx, inputs, output):
        *tensors, ctx.dims, ctx.eps = inputs
        save(ctx, *tensors)

    @staticmethod
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        need_x, need_weight, *_ = ctx.needs_input_grad
        x_hat, inverse_rms = of_unit_square(x, ctx.dims, ctx.eps)
        grad_x = None
        if need_x:
            g = scaled(grad_y, weight)
            grad_x = inverse_rms * (g - x_hat * mean(g * x_hat, ctx.dims))
        grad_weight = scale_gradient(grad_y, x_hat, weight) if need_weight else None
        return grad_x, grad_weight, None, None  # dims, eps

    @staticmethod
    def tangent(ctx, dx, dweight, _dims, _eps):
        x, weight = ctx.saved_tensors
        x_hat, inverse_rms = of_unit_square(x, ctx.dims, ctx.eps)
        # The Jacobian of x̂ is symmetric: J dx = Jᵀ dx.
        dx_hat = inverse_rms * (dx - x_hat * mean(dx * x_hat, ctx.dims))
        return scale_and_shift_tangent(x_hat, dx_hat, weight, dweight, None)
