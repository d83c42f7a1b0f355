"""The Cholesky factor of a positive definite matrix."""

import torch
from torch import Tensor

from torchref.ops.op import Op, save


def symmetric(x: Tensor) -> Tensor:
    return (x + x.mT) / 2


def lower_half(x: Tensor) -> Tensor:
    """Φ(x): the lower triangle, and half of the diagonal, so that Φ(x) + Φ(x)ᵀ = x for x = xᵀ."""
    return x.tril(-1) + torch.diag_embed(x.diagonal(dim1=-2, dim2=-1) / 2)


class Cholesky(Op):
    r"""The lower triangular y with y yᵀ = x, or with upper=True its transpose.

    It is of the symmetric part (x + xᵀ)/2: torch reads the lower triangle alone, and yet gives
    each of the two entries half of the gradient. For a symmetric x value and gradient are torch's,
    and here the gradient is that of the value for any change of x.

    Derivation: x = L Lᵀ gives L⁻¹ dx L⁻ᵀ = L⁻¹ dL + (L⁻¹ dL)ᵀ, a lower triangle and its transpose,
    so dL = L Φ(L⁻¹ dx L⁻ᵀ), with Φ the lower triangle and half of the diagonal. Turned round, with
    g = ∂L/∂L and S = L⁻ᵀ Φ(Lᵀ g) L⁻¹,
        ∂L/∂x = (S + Sᵀ) / 2.
    `cholesky_steps` goes the long way, column by column.
    Shapes: x and y alike, (..., n, n).
    Saves y. An x that is not positive definite is torch's `LinAlgError`.
    Source: Murray 2016, "Differentiation of the Cholesky decomposition".

    >>> Cholesky.call(torch.tensor([[4.0, 2.0], [2.0, 10.0]]), False)
    tensor([[2., 0.],
            [1., 3.]])
    """

    @staticmethod
    def forward(x, upper):
        return torch.linalg.cholesky(symmetric(x), upper=upper)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _, ctx.upper = inputs
        save(ctx, output)

    @staticmethod
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        factor, grad = (y.mT, grad_y.mT) if ctx.upper else (y, grad_y)
        half = torch.linalg.solve_triangular(factor.mT, lower_half(factor.mT @ grad), upper=True)
        whole = torch.linalg.solve_triangular(factor, half, upper=False, left=False)
        return symmetric(whole), None  # upper

    @staticmethod
    def tangent(ctx, dx, _):
        (y,) = ctx.saved_tensors
        factor = y.mT if ctx.upper else y
        left = torch.linalg.solve_triangular(factor, symmetric(dx), upper=False)
        both = torch.linalg.solve_triangular(factor.mT, left, upper=True, left=False)
        change = factor @ lower_half(both)
        return change.mT if ctx.upper else change
