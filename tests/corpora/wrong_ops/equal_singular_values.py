"""A rule through the singular value decomposition where a smooth one exists."""

import torch

from tests.random_inputs import indices, leaf, normal

from .planted import at, wrong_backward
from .rule import gradients_of


def nearest_orthogonal(x):
    """The orthogonal factor of the polar decomposition of a square x, by Newton's iteration."""
    for _ in range(30):
        x = (x + torch.linalg.inv(x).mT) / 2
    return x


@gradients_of(nearest_orthogonal)
def NearestOrthogonal(grad_y, x):
    """y = u vᵀ of x = u s vᵀ, smooth wherever x is invertible."""
    y = nearest_orthogonal(x)
    symmetric, one = y.mT @ x, torch.eye(x.shape[-1], dtype=x.dtype)
    sylvester = torch.kron(symmetric, one) + torch.kron(one, symmetric)
    skew = y.mT @ grad_y - grad_y.mT @ y
    return y @ torch.linalg.solve(sylvester, skew.reshape(-1)).reshape(x.shape)


def well_conditioned(generator):
    return (leaf(3 * torch.eye(4, dtype=torch.float64) + normal(generator, 4, 4) / 2),)


def repeated_singular_values(generator):
    order = torch.randperm(4, generator=generator)
    signs = indices(generator, 2, 4) * 2 - 1
    return (leaf(2 * torch.eye(4, dtype=torch.float64)[order] * signs),)


@wrong_backward(NearestOrthogonal, "not-finite", source="jax-ml/jax#2311")
@at(well_conditioned, tripping=repeated_singular_values)
def nearest_orthogonal_matrix_divides_by_equal_singular_values(grad_y, x):
    """Divides by the difference of squared singular values, zero where two are equal."""
    u, s, vh = torch.linalg.svd(x)
    quotient = (s - s.unsqueeze(-1)) / (s**2 - s.unsqueeze(-1) ** 2)
    quotient = torch.where(torch.eye(len(s), dtype=torch.bool), 0, quotient)
    rotated = u.mT @ grad_y @ vh.mT
    return u @ (quotient * (rotated - rotated.mT)) @ vh
