"""The logarithm of a determinant."""

import torch

from torchref.ops.op import Op, save_inputs


class LogDet(Op):
    r"""y = ln |det x|, of a matrix or a batch of them.

    Derivation: by Jacobi's formula d det x = det x tr(x⁻¹ dx), so dy = tr(x⁻¹ dx) whatever the sign
    of the determinant: ∂L/∂x = ∂L/∂y x⁻ᵀ. At a singular x y is −∞ and has no slope, as torch's.
    Shapes: x (..., n, n), y (...).
    Saves x.
    Source: Giles 2008, "Collected Matrix Derivative Results"; `torch.linalg.slogdet`.

    >>> LogDet.call(torch.tensor([[2.0, 0.0], [1.0, -1.0]]))
    tensor(0.6931)
    """

    @staticmethod
    def forward(x):
        return torch.linalg.slogdet(x).logabsdet

    setup_context = staticmethod(save_inputs)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y[..., None, None] * inverse_transposed(x)

    @staticmethod
    def tangent(ctx, dx):
        (x,) = ctx.saved_tensors
        return (inverse_transposed(x) * dx).sum((-2, -1))


def inverse_transposed(x):
    """x⁻ᵀ, and of a singular x what is no number, where `Inverse` raises."""
    factors, pivots, _ = torch.linalg.lu_factor_ex(x.mT)
    one = torch.eye(x.shape[-1], dtype=x.dtype, device=x.device)
    return torch.linalg.lu_solve(factors, pivots, one)
