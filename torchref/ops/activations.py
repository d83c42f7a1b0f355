"""Activations, entry by entry: where it can be, a derivative is written in the value itself."""

import torch

from torchref.ops.op import Op, save_inputs, save_output


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

    setup_context = staticmethod(save_output)

    @staticmethod
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        return grad_y * (y * (1 - y))

    @staticmethod
    def tangent(ctx, dx):
        return Sigmoid.backward(ctx, dx)  # the Jacobian is diagonal: J dx = Jᵀ dx


class Tanh(Op):
    r"""y = tanh x = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ) = 2 σ(2x) − 1.

    Derivation: by the quotient rule tanh′ = 1 − ((eˣ − e⁻ˣ) / (eˣ + e⁻ˣ))² = 1 − y². At 0 the
    slope is 1, four times that of the sigmoid: a deep stack of them loses less gradient.
    Shapes: x and y alike, any.
    Saves y: the derivative needs nothing else.
    Source: the remedy for the shortcoming that lecture 003 announces.

    >>> Tanh.call(torch.tensor([0.0, 0.5, -1000.0]))
    tensor([ 0.0000,  0.4621, -1.0000])
    """

    @staticmethod
    def forward(x):
        return torch.tanh(x)

    setup_context = staticmethod(save_output)

    @staticmethod
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        return grad_y * (1 - y * y)

    @staticmethod
    def tangent(ctx, dx):
        return Tanh.backward(ctx, dx)  # the Jacobian is diagonal: J dx = Jᵀ dx


class Softplus(Op):
    r"""y = ln(1 + eˣ) = −ln σ(−x).

    Derivation: y′ = eˣ / (1 + eˣ) = σ(x).
    The forward takes max(x, 0) out of the logarithm, so that the exponent is never positive.
    Shapes: x and y alike, any.
    Saves x. The backward calls `Sigmoid`, whose own backward makes every further order right.
    Source: the two logarithms of lecture 000, written on logits.

    >>> Softplus.call(torch.tensor([0.0, -1e4, 1e4]))
    tensor([6.9315e-01, 0.0000e+00, 1.0000e+04])
    """

    @staticmethod
    def forward(x):
        return x.clamp_min(0) + torch.log1p(torch.exp(-x.abs()))

    setup_context = staticmethod(save_inputs)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * Sigmoid.call(x)

    @staticmethod
    def tangent(ctx, dx):
        return Softplus.backward(ctx, dx)  # the Jacobian is diagonal: J dx = Jᵀ dx


class ReLU(Op):
    r"""y = max(x, 0).

    Derivation: the slope is 1 for x > 0 and 0 for x < 0, and at the kink 0 by torch's
    convention. So a gradient passes whole or not at all. A NaN stays a NaN, as in torch's.
    Shapes: x and y alike, any.
    Saves y: y > 0 exactly where x > 0.
    Source: the remedy for the shortcoming that lecture 003 announces.

    >>> ReLU.call(torch.tensor([-2.0, 0.0, 3.0]))
    tensor([0., 0., 3.])
    """

    @staticmethod
    def forward(x):
        return torch.clamp_min(x, 0)

    setup_context = staticmethod(save_output)

    @staticmethod
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        return torch.where(y <= 0, 0, grad_y)

    @staticmethod
    def tangent(ctx, dx):
        return ReLU.backward(ctx, dx)  # the Jacobian is diagonal: J dx = Jᵀ dx
