"""The sigmoid, and what is written with it: tanh, the softplus and the logarithm."""

import math

import torch

from torchref.ops.activations.pointwise import Pointwise, save_y


class Sigmoid(Pointwise):
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

    setup_context = staticmethod(save_y)

    @staticmethod
    def differential(dx, y):
        return dx * (y * (1 - y))


class Tanh(Pointwise):
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

    setup_context = staticmethod(save_y)

    @staticmethod
    def differential(dx, y):
        return dx * (1 - y * y)


class Softplus(Pointwise):
    r"""y = ln(1 + e^βx) / β, and y = x where βx > threshold.

    Derivation: y′ = e^βx / (1 + e^βx) = σ(βx), and 1 where βx > threshold. At the threshold y
    jumps by e^−threshold / β; with an infinite threshold nothing is cut off.
    The forward takes max(βx, 0) out of the logarithm, so that the exponent is never positive.
    Shapes: x and y alike, any; β and threshold are numbers.
    Saves x. The differential calls `Sigmoid`, whose own rule makes every further order right.
    Source: the two logarithms of lecture 000, written on logits; Dugas et al. 2000, "Incorporating
    Second-Order Functional Knowledge for Better Option Pricing"; the threshold is torch's.

    >>> Softplus.call(torch.tensor([0.0, -1e4, 1e4]), 1.0, 20.0)
    tensor([6.9315e-01, 0.0000e+00, 1.0000e+04])
    """

    @staticmethod
    def forward(x, beta, threshold):
        z = beta * x
        curve = (z.clamp_min(0) + torch.log1p(torch.exp(-z.abs()))) / beta
        return torch.where(z > threshold, x, curve)

    @staticmethod
    def differential(dx, x, beta, threshold):
        z = beta * x
        return torch.where(z > threshold, dx, dx * Sigmoid.call(z))


def softplus(x):
    """ln(1 + eˣ), nowhere cut off."""
    return Softplus.call(x, 1.0, math.inf)


class LogSigmoid(Pointwise):
    r"""y = ln σ(x) = −ln(1 + e⁻ˣ).

    Derivation: y′ = σ′/σ = 1 − σ(x) = σ(−x), which keeps its digits where σ(x) is 1.
    Shapes: x and y alike, any.
    Saves x. The differential calls `Sigmoid`, whose own rule makes every further order right.
    Source: the logarithm in the log loss of lecture 000.

    >>> LogSigmoid.call(torch.tensor([0.0, -1e4, 1e4]))
    tensor([-6.9315e-01, -1.0000e+04, -0.0000e+00])
    """

    @staticmethod
    def forward(x):
        return -softplus(-x)

    @staticmethod
    def differential(dx, x):
        return dx * Sigmoid.call(-x)
