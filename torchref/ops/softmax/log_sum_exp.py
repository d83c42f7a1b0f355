"""The logarithm of a sum of exponentials: the largest, made smooth."""

import torch
from torch import Tensor

from torchref.ops.op import RoundedOnce, save
from torchref.ops.softmax.softmax import Softmax


def with_finite_largest(x: Tensor, dims: tuple[int, ...]) -> Tensor:
    """x, and where its largest is infinite, 0 for all that are as large, and −∞ for the others."""
    if not x.numel():  # of nothing is no largest
        return x
    largest = x.amax(dims, keepdim=True)
    instead = torch.where(x == largest, 0.0, -torch.inf).to(x.dtype)
    return torch.where(largest.isinf(), instead, x)


class LogSumExp(RoundedOnce):
    r"""y = ln Σ_i exp(x_i), over `dims`, which stay as dimensions of size 1.

    Derivation: ∂y/∂x_i = exp(x_i) / Σ_j exp(x_j), the softmax p, so ∂L/∂x = p ∂L/∂y. It is computed
    of x and not as exp(x − y), which loses the digits that y has before its point.
    Where the largest x is infinite, all that are as large have an equal part of the slope, and the
    others none: what p tends to. torch answers NaN there.
    Shapes: x any, y with 1 for each of dims, which are not empty. Over nothing y is −∞.
    Saves x.
    Source: `torch.logsumexp`; Boyd and Vandenberghe 2004, "Convex Optimization", 3.1.5.

    >>> LogSumExp.call(torch.tensor([0.0, 1e4, 1e4]), (-1,))
    tensor([10000.6934])
    """

    @staticmethod
    def forward(x, dims):
        if not x.numel():
            return x.sum(dims, keepdim=True).log()
        largest = x.amax(dims, keepdim=True)
        shift = torch.where(largest.isinf(), 0, largest)
        return shift + torch.exp(x - shift).sum(dims, keepdim=True).log()

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, ctx.dims = inputs
        save(ctx, x)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * slope(x, ctx.dims), None  # dims

    @staticmethod
    def tangent(ctx, dx, _dims):
        (x,) = ctx.saved_tensors
        return (dx * slope(x, ctx.dims)).sum(ctx.dims, keepdim=True)


def slope(x: Tensor, dims: tuple[int, ...]) -> Tensor:
    """p. vmap gives an op in the rule of another no tuple (torch 2.13): `forward`, not `call`."""
    return Softmax.forward(with_finite_largest(x, dims), dims)
