"""A rule through the singular value decomposition where a smooth one exists."""

import torch

from .boundary_values import not_finite_bug
from .planted import SavesInputs, indices, leaf, normal


def nearest_orthogonal(x):
    """The orthogonal factor of the polar decomposition of a square x, by Newton's iteration."""
    for _ in range(30):
        x = (x + torch.linalg.inv(x).mT) / 2
    return x


class NearestOrthogonal(SavesInputs):
    """y = u vᵀ of x = u s vᵀ, smooth wherever x is invertible."""

    @staticmethod
    def forward(x):
        return nearest_orthogonal(x)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        y = nearest_orthogonal(x)
        symmetric, one = y.mT @ x, torch.eye(x.shape[-1], dtype=x.dtype)
        sylvester = torch.kron(symmetric, one) + torch.kron(one, symmetric)
        skew = y.mT @ grad_y - grad_y.mT @ y
        return y @ torch.linalg.solve(sylvester, skew.reshape(-1)).reshape(x.shape)


class NearestOrthogonalBySingularValues(NearestOrthogonal):
    """Divides by the difference of squared singular values, zero where two are equal."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        u, s, vh = torch.linalg.svd(x)
        quotient = (s - s.unsqueeze(-1)) / (s**2 - s.unsqueeze(-1) ** 2)
        quotient = torch.where(torch.eye(len(s), dtype=torch.bool), 0, quotient)
        rotated = u.mT @ grad_y @ vh.mT
        return u @ (quotient * (rotated - rotated.mT)) @ vh


def well_conditioned(generator):
    return (leaf(3 * torch.eye(4, dtype=torch.float64) + normal(generator, 4, 4) / 2),)


def repeated_singular_values(generator):
    order = torch.randperm(4, generator=generator)
    signs = indices(generator, 2, 4) * 2 - 1
    return (leaf(2 * torch.eye(4, dtype=torch.float64)[order] * signs),)


BUGS = (
    not_finite_bug(
        "nearest orthogonal matrix divides by equal singular values",
        NearestOrthogonalBySingularValues,
        NearestOrthogonal,
        nearest_orthogonal,
        well_conditioned,
        repeated_singular_values,
        "jax-ml/jax#2311",
    ),
)
