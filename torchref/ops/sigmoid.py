"""The sigmoid, whose derivative is written in its own value."""

import torch

from torchref.ops.op import Op, save


class Sigmoid(Op):
    r"""y = σ(x) = 1 / (1 + e⁻ˣ).

    Derivation: σ′ = e⁻ˣ / (1 + e⁻ˣ)² = σ (1 − σ), so ∂L/∂x = ∂L/∂y · y (1 − y).
    The value is torch's kernel, one pass that overflows nowhere, as exp and log are torch's.
    Shapes: x and y alike, any.
    Saves y: the derivative needs nothing else.
    Source: lectures 000 to 004.

    >>> Sigmoid.call(torch.tensor([0.415, -1000.0]))
    tensor([0.6023, 0.0000])
    """

    @staticmethod
    def forward(x):
        return torch.sigmoid(x)

    @staticmethod
    def setup_context(ctx, inputs, output):
        save(ctx, output)

    @staticmethod
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        return grad_y * (y * (1 - y))

    @staticmethod
    def tangent(ctx, dx):
        (y,) = ctx.saved_tensors
        return dx * (y * (1 - y))
