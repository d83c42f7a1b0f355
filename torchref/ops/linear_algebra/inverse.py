"""The inverse of a matrix."""

import torch

from torchref.ops.op import Op, save_output


class Inverse(Op):
    r"""y = x⁻¹, of a matrix or a batch of them.

    Derivation: x y = 1 gives dx y + x dy = 0, so dy = −y dx y, and with g = ∂L/∂y
    dL = Σ g · dy = −tr(gᵀ y dx y) = −tr((yᵀ g yᵀ)ᵀ dx):  ∂L/∂x = −yᵀ g yᵀ.
    Shapes: x and y alike, (..., n, n).
    Saves y: the derivative needs nothing else. A singular x is torch's `LinAlgError`.
    Source: Giles 2008, "Collected Matrix Derivative Results".

    >>> Inverse.call(torch.tensor([[2.0, 0.0], [1.0, 1.0]]))
    tensor([[ 0.5000,  0.0000],
            [-0.5000,  1.0000]])
    """

    @staticmethod
    def forward(x):
        return torch.linalg.inv(x)

    setup_context = staticmethod(save_output)

    @staticmethod
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        return -(y.mT @ grad_y @ y.mT)

    @staticmethod
    def tangent(ctx, dx):
        (y,) = ctx.saved_tensors
        return -(y @ dx @ y)
