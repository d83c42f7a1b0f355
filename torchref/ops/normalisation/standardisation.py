"""Layer, batch, group and instance norm: mean 0 and variance 1, over other dimensions each."""

import torch
from torch import Tensor

from torchref.ops.normalisation.scale_and_shift import (
    scale_and_shift_tangent,
    scale_gradient,
    scaled,
    scaled_and_shifted,
    shift_gradient,
)
from torchref.ops.op import RoundedOnce, save


def mean(x: Tensor, dims: tuple[int, ...]) -> Tensor:
    """The mean over dims, which stay as dimensions of size 1."""
    return x.mean(dims, keepdim=True)


def standardised(x: Tensor, dims: tuple[int, ...], eps: float) -> tuple[Tensor, Tensor]:
    """x̂ and 1/σ, by the differences from the mean: Σ x² − (Σ x)² / n would cancel."""
    centred = x - mean(x, dims)
    inverse_sigma = torch.rsqrt(mean(centred * centred, dims) + eps)
    return centred * inverse_sigma, inverse_sigma


class Standardisation(RoundedOnce):
    r"""y = x̂ w + b with x̂ = (x − μ) / σ, μ the mean of x over `dims` and σ² = mean (x − μ)² + ε.

    | norm               | x is seen as             | dims         | weight and bias     |
    | ------------------ | ------------------------ | ------------ | ------------------- |
    | layer norm         | (..., normalized_shape)  | the last     | normalized_shape    |
    | batch norm         | (N, C, ...)              | all but 1    | (C, 1, ...)         |
    | instance norm      | (N, C, ...)              | from 2 on    | (C, 1, ...)         |
    | group norm         | (N, G, C / G, ...)       | from 2 on    | (G, C / G, 1, ...)  |

    Derivation: x̂ depends on x_i directly, by μ and by σ. With ∂μ/∂x_i = 1/n, Σ (x − μ) = 0 and so
    ∂σ/∂x_i = (x_i − μ) / (n σ) = x̂_i / n,
        ∂x̂_j/∂x_i = (δ_ij − 1/n) / σ − (x_j − μ) / σ² · x̂_i / n = (δ_ij − 1/n − x̂_i x̂_j / n) / σ.
    With g = ∂L/∂x̂ = ∂L/∂y w this is, all means over `dims`,

        ∂L/∂x = (g − mean(g) − x̂ mean(g x̂)) / σ:

    g without its part along 1 and, but for ε, along x̂, which a standardised x cannot follow. For
    ∂L/∂w and ∂L/∂b see `scale_and_shift`. `standardisation_steps` goes the long way.
    Shapes: x and y alike, any; weight and bias broadcastable to x, or None; dims not empty.
    Saves x, weight and bias, of which backward computes x̂ and σ anew: as intermediates that were
    kept they would be constants to a second backward, which would be wrong in silence.
    Source: Ioffe and Szegedy 2015 (batch), Ba, Kiros and Hinton 2016 (layer), Ulyanov, Vedaldi
    and Lempitsky 2016 (instance), Wu and He 2018 (group).

    >>> Standardisation.call(torch.tensor([[1.0, 2.0, 6.0]]), None, None, (-1,), 1e-5)
    tensor([[-0.9258, -0.4629,  1.3887]])
    """

    @staticmethod
    def forward(x, weight, bias, dims, eps):
        x_hat, _ = standardised(x, dims, eps)
        return scaled_and_shifted(x_hat, weight, bias)

    @staticmethod
    def setup_context(ctx, inputs, output):
        *tensors, ctx.dims, ctx.eps = inputs
        save(ctx, *tensors)

    @staticmethod
    def backward(ctx, grad_y):
        x, weight, bias = ctx.saved_tensors
        need_x, need_weight, need_bias, *_ = ctx.needs_input_grad
        x_hat, inverse_sigma = standardised(x, ctx.dims, ctx.eps)
        grad_x = None
        if need_x:
            g = scaled(grad_y, weight)
            grad_x = inverse_sigma * (g - mean(g, ctx.dims) - x_hat * mean(g * x_hat, ctx.dims))
        grad_weight = scale_gradient(grad_y, x_hat, weight) if need_weight else None
        grad_bias = shift_gradient(grad_y, bias) if need_bias else None
        return grad_x, grad_weight, grad_bias, None, None  # dims, eps

    @staticmethod
    def tangent(ctx, dx, dweight, dbias, _dims, _eps):
        x, weight, _ = ctx.saved_tensors
        x_hat, inverse_sigma = standardised(x, ctx.dims, ctx.eps)
        # The Jacobian of x̂ is symmetric: J dx = Jᵀ dx.
        dx_hat = inverse_sigma * (dx - mean(dx, ctx.dims) - x_hat * mean(dx * x_hat, ctx.dims))
        return scale_and_shift_tangent(x_hat, dx_hat, weight, dweight, dbias)


class FixedStandardisation(RoundedOnce):
    r"""y = x̂ w + b with x̂ = (x − m) / √(v + ε): mean and variance are given, and not those of x.

    Derivation: nothing of x enters m and v, so with g = ∂L/∂x̂ = ∂L/∂y w and σ = √(v + ε)
        ∂L/∂x = g / σ,  ∂L/∂m = −Σ g / σ,  ∂L/∂v = −½ Σ g x̂ / σ²,
    by ∂(v + ε)^−½/∂v = −½ (v + ε)^−3⁄2, the sums over the entries that m and v were broadcast to.
    This is batch norm in evaluation. The backward of training would subtract means here.
    Shapes: x and y alike, any; the others broadcastable to x, weight and bias or None.
    Saves all five: x̂ and σ are computed anew, as in `Standardisation`.
    Source: Ioffe and Szegedy 2015, algorithm 2.

    >>> x, one = torch.tensor([[1.0], [5.0]]), torch.ones(1)
    >>> FixedStandardisation.call(x, one, 4 * one, None, None, 0.0)
    tensor([[0.],
            [2.]])
    """

    @staticmethod
    def forward(x, mean, variance, weight, bias, eps):
        return scaled_and_shifted((x - mean) * torch.rsqrt(variance + eps), weight, bias)

    @staticmethod
    def setup_context(ctx, inputs, output):
        *tensors, ctx.eps = inputs
        save(ctx, *tensors)

    @staticmethod
    def backward(ctx, grad_y):
        x, mean, variance, weight, bias = ctx.saved_tensors
        need_x, need_mean, need_variance, need_weight, need_bias, _ = ctx.needs_input_grad
        inverse_sigma = torch.rsqrt(variance + ctx.eps)
        x_hat = (x - mean) * inverse_sigma
        grad_x = scaled(grad_y, weight) * inverse_sigma
        grad_mean = -grad_x.sum_to_size(mean.shape) if need_mean else None
        grad_variance = None
        if need_variance:
            grad_variance = -(grad_x * x_hat * inverse_sigma / 2).sum_to_size(variance.shape)
        grad_weight = scale_gradient(grad_y, x_hat, weight) if need_weight else None
        grad_bias = shift_gradient(grad_y, bias) if need_bias else None
        return grad_x if need_x else None, grad_mean, grad_variance, grad_weight, grad_bias, None

    @staticmethod
    def tangent(ctx, dx, dmean, dvariance, dweight, dbias, _eps):
        x, mean, variance, weight, _ = ctx.saved_tensors
        inverse_sigma = torch.rsqrt(variance + ctx.eps)
        x_hat = (x - mean) * inverse_sigma
        dx_hat = (dx - dmean - x_hat * inverse_sigma * dvariance / 2) * inverse_sigma
        return scale_and_shift_tangent(x_hat, dx_hat, weight, dweight, dbias)
