"""Activations that are x times a gate of x: open far to the right, shut far to the left."""

import math

import torch

from torchref.ops.activations.pointwise import Pointwise
from torchref.ops.activations.sigmoid import Sigmoid, Tanh, softplus


class SiLU(Pointwise):
    r"""y = x σ(x), also called swish.

    Derivation: by the product rule y′ = σ + x σ′ = σ(x) (1 + x σ(−x)), with σ′ = σ(x) σ(−x).
    Shapes: x and y alike, any.
    Saves x: y comes from two x.
    Source: Elfwing, Uchibe and Doya 2017, "Sigmoid-Weighted Linear Units".

    >>> SiLU.call(torch.tensor([-1e4, -1.0, 0.0, 1.0]))
    tensor([-0.0000, -0.2689,  0.0000,  0.7311])
    """

    @staticmethod
    def forward(x):
        return x / (1 + torch.exp(-x))  # σ alone would be denormal where x σ is not

    @staticmethod
    def differential(dx, x):
        return dx * (Sigmoid.call(x) * (1 + x * Sigmoid.call(-x)))


class Mish(Pointwise):
    r"""y = x tanh(softplus x).

    Derivation: with t = tanh(softplus x), t′ = (1 − t²) σ(x), so y′ = t + x (1 − t²) σ(x).
    Shapes: x and y alike, any.
    Saves x: y comes from two x.
    Source: Misra 2019, "Mish: A Self Regularized Non-Monotonic Activation Function".

    >>> Mish.call(torch.tensor([-1e4, -1.0, 0.0, 1.0]))
    tensor([-0.0000, -0.3034,  0.0000,  0.8651])
    """

    @staticmethod
    def forward(x):
        return x * torch.tanh(softplus(x))

    @staticmethod
    def differential(dx, x):
        t = Tanh.call(softplus(x))
        return dx * (t + x * (1 - t * t) * Sigmoid.call(x))


def normal_cdf(x):
    """Φ(x) = ½ erfc(−x/√2), which has digits far to the left, where ½ (1 + erf(x/√2)) is 0."""
    return torch.erfc(x * -math.sqrt(0.5)) / 2


def normal_density(x):
    """φ(x) = Φ′(x)."""
    return torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)


class GELU(Pointwise):
    r"""y = x Φ(x), with the normal distribution Φ(x) = ½ erfc(−x/√2).

    Derivation: by the product rule y′ = Φ(x) + x φ(x), with φ(x) = Φ′(x) = exp(−x²/2) / √(2π).
    Shapes: x and y alike, any.
    Saves x: y comes from two x.
    Source: Hendrycks and Gimpel 2016, "Gaussian Error Linear Units".

    >>> GELU.call(torch.tensor([-10.0, -1.0, 0.0, 1.0]))
    tensor([-7.6199e-23, -1.5866e-01,  0.0000e+00,  8.4134e-01])
    """

    @staticmethod
    def forward(x):
        return x * normal_cdf(x)

    @staticmethod
    def differential(dx, x):
        return dx * (normal_cdf(x) + x * normal_density(x))


SLOPE, CUBIC = 2 * math.sqrt(2 / math.pi), 0.044715  # of the w that makes σ(w) nearly Φ(x)


class TanhGELU(Pointwise):
    r"""y = ½ x (1 + tanh(w/2)) = x σ(w), with w = 2 √(2/π) (x + 0.044715 x³).

    Derivation: 1 + tanh(w/2) = 2 σ(w), which has digits far to the left, where tanh is −1. By the
    product rule y′ = σ(w) + x σ(w) σ(−w) w′, with w′ = 2 √(2/π) (1 + 3 · 0.044715 x²).
    Shapes: x and y alike, any.
    Saves x: y comes from two x.
    Source: Hendrycks and Gimpel 2016, "Gaussian Error Linear Units", the approximation.

    >>> TanhGELU.call(torch.tensor([-10.0, -1.0, 0.0, 1.0]))
    tensor([-1.2041e-37, -1.5881e-01,  0.0000e+00,  8.4119e-01])
    """

    @staticmethod
    def forward(x):
        w = SLOPE * (x + CUBIC * x * x * x)
        return x / (1 + torch.exp(-w))

    @staticmethod
    def differential(dx, x):
        w = SLOPE * (x + CUBIC * x * x * x)
        w_slope = SLOPE * (1 + 3 * CUBIC * x * x)
        gate = Sigmoid.call(w)
        return dx * (gate + x * (gate * Sigmoid.call(-w)) * w_slope)
