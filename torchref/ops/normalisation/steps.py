"""Forward and backward one step at a time, every intermediate and its gradient by name.

This is the long way to what `Standardisation` and `RMSNorm` collapse, to hold a kernel to that goes
wrong on the way. Plain functions: autograd is not asked, and nothing is saved.
"""

import math
from typing import NamedTuple

from torch import Tensor

from torchref.ops.normalisation.scale_and_shift import (
    scale_gradient,
    scaled,
    scaled_and_shifted,
    shift_gradient,
)
from torchref.ops.normalisation.standardisation import mean


def entries(x: Tensor, dims: tuple[int, ...]) -> int:
    """How many a mean over dims is taken of."""
    return math.prod(x.shape[dim] for dim in dims)


class StandardisationSteps(NamedTuple):
    """What `standardisation_steps` goes through, in its order; each is named as in the code."""

    mean: Tensor
    centred: Tensor
    variance: Tensor
    inverse_sigma: Tensor
    standardised: Tensor
    y: Tensor
    grad_weight: Tensor | None
    grad_bias: Tensor | None
    grad_standardised: Tensor
    grad_inverse_sigma: Tensor
    grad_variance: Tensor
    grad_centred: Tensor
    grad_mean: Tensor
    grad_x: Tensor


def standardisation_steps(
    x: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    dims: tuple[int, ...],
    eps: float,
    grad_y: Tensor,
) -> StandardisationSteps:
    """`Standardisation` and its backward, step by step: layer, batch, group and instance norm.

    >>> x, grad_y = torch.tensor([[1.0, 2.0, 6.0]]), torch.tensor([[1.0, 0.0, 0.0]])
    >>> steps = standardisation_steps(x, None, None, (-1,), 1e-5, grad_y)
    >>> steps.mean, steps.variance, steps.grad_x
    (tensor([[3.]]), tensor([[4.6667]]), tensor([[ 0.1763, -0.2204,  0.0441]]))
    """
    mu = mean(x, dims)
    centred = x - mu
    variance = mean(centred**2, dims)
    inverse_sigma = (variance + eps) ** -0.5
    standardised = centred * inverse_sigma
    y = scaled_and_shifted(standardised, weight, bias)

    # y = standardised · weight + bias
    grad_weight = None if weight is None else scale_gradient(grad_y, standardised, weight)
    grad_bias = None if bias is None else shift_gradient(grad_y, bias)
    grad_standardised = scaled(grad_y, weight)
    # standardised = centred · inverse_sigma, whose one value a group was used by the whole group
    grad_inverse_sigma = (grad_standardised * centred).sum(dims, keepdim=True)
    # inverse_sigma = (variance + eps)^−½
    grad_variance = grad_inverse_sigma * -0.5 * (variance + eps) ** -1.5
    # variance = Σ centred² / n, so that centred has two uses, whose gradients add up
    n = entries(x, dims)
    grad_centred = grad_standardised * inverse_sigma + grad_variance * 2 * centred / n
    # centred = x − mean, and mean = Σ x / n
    grad_mean = -grad_centred.sum(dims, keepdim=True)
    grad_x = grad_centred + grad_mean / n

    return StandardisationSteps(
        mu,
        centred,
        variance,
        inverse_sigma,
        standardised,
        y,
        grad_weight,
        grad_bias,
        grad_standardised,
        grad_inverse_sigma,
        grad_variance,
        grad_centred,
        grad_mean,
        grad_x,
    )


class RMSNormSteps(NamedTuple):
    """What `rms_norm_steps` goes through, in its order."""

    mean_square: Tensor
    inverse_rms: Tensor
    normalised: Tensor
    y: Tensor
    grad_weight: Tensor | None
    grad_normalised: Tensor
    grad_inverse_rms: Tensor
    grad_mean_square: Tensor
    grad_x: Tensor


def rms_norm_steps(
    x: Tensor, weight: Tensor | None, dims: tuple[int, ...], eps: float, grad_y: Tensor
) -> RMSNormSteps:
    """`RMSNorm` and its backward, step by step.

    >>> x, grad_y = torch.tensor([[3.0, 4.0]]), torch.tensor([[1.0, 0.0]])
    >>> steps = rms_norm_steps(x, None, (-1,), 0.0, grad_y)
    >>> steps.mean_square, steps.grad_x
    (tensor([[12.5000]]), tensor([[ 0.1810, -0.1358]]))
    """
    mean_square = mean(x**2, dims)
    inverse_rms = (mean_square + eps) ** -0.5
    normalised = x * inverse_rms
    y = scaled(normalised, weight)

    # y = normalised · weight
    grad_weight = None if weight is None else scale_gradient(grad_y, normalised, weight)
    grad_normalised = scaled(grad_y, weight)
    # normalised = x · inverse_rms, whose one value a group was used by the whole group
    grad_inverse_rms = (grad_normalised * x).sum(dims, keepdim=True)
    # inverse_rms = (mean_square + eps)^−½
    grad_mean_square = grad_inverse_rms * -0.5 * (mean_square + eps) ** -1.5
    # mean_square = Σ x² / n, so that x has two uses, whose gradients add up
    n = entries(x, dims)
    grad_x = grad_normalised * inverse_rms + grad_mean_square * 2 * x / n

    return RMSNormSteps(
        mean_square,
        inverse_rms,
        normalised,
        y,
        grad_weight,
        grad_normalised,
        grad_inverse_rms,
        grad_mean_square,
        grad_x,
    )
