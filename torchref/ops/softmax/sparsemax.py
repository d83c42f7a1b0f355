"""The softmax's sparse relative: the nearest point of the simplex."""

import torch
from torch import Tensor

from torchref.ops.op import RoundedOnce
from torchref.ops.softmax.softmax import below_largest, save_output_and_dim


def threshold(z: Tensor, dim: int) -> Tensor:
    """The τ with Σ max(z − τ, 0) = 1: of the k largest z, (Σ z − 1) / k.

    k is how many exceed the τ of themselves and all larger ones.
    """
    largest_first = z.sort(dim, descending=True).values
    excess = largest_first.cumsum(dim) - 1
    number = torch.ones_like(z).cumsum(dim)
    k = (number * largest_first > excess).sum(dim, keepdim=True).clamp_min(1)  # of NaN none does
    return excess.gather(dim, k - 1) / k


class Sparsemax(RoundedOnce):
    r"""y = max(x − τ, 0), with the τ along `dim` for which Σ y = 1.

    That is the nearest point to x, in the sum of squares, whose entries are not negative and sum to
    one: unlike a softmax it has zeros. Adding a number to all x changes nothing.

    Derivation: on the support S = {i: y_i > 0} of size k, τ = (Σ_S x − 1) / k, so
    ∂y_i/∂x_j = δ_ij − 1/k for i and j in S, and 0 elsewhere. With g = ∂L/∂y

        ∂L/∂x = g − mean_S(g) on S, and 0 elsewhere:

    g without its mean over S. An entry that is exactly τ is outside of S: there the slope jumps.
    Shapes: x and y alike, any.
    Saves y, whose positive entries are S.
    Source: Martins and Astudillo 2016, "From Softmax to Sparsemax", algorithm 1 and equation 14.

    >>> Sparsemax.call(torch.tensor([0.0, 1.0, 1.5]), -1)
    tensor([0.0000, 0.2500, 0.7500])
    """

    @staticmethod
    def forward(x, dim):
        z = below_largest(x, dim)
        return torch.clamp_min(z - threshold(z, dim), 0) if x.numel() else z

    setup_context = staticmethod(save_output_and_dim)

    @staticmethod
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        is_inside = y > 0
        total = torch.where(is_inside, grad_y, 0).sum(ctx.dim, keepdim=True)
        mean = total / is_inside.sum(ctx.dim, keepdim=True)
        return torch.where(is_inside, grad_y - mean, 0), None  # dim

    @staticmethod
    def tangent(ctx, dx, _):
        dy, _ = Sparsemax.backward(ctx, dx)  # the Jacobian is symmetric: J dx = Jᵀ dx
        return dy
