"""Activations of several pieces, most of them straight, and what their slope is at the kinks."""

import torch

from torchref.ops.activations.pointwise import Pointwise, save_y
from torchref.ops.op import RoundedOnce, save_inputs


class ReLU(Pointwise):
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

    setup_context = staticmethod(save_y)

    @staticmethod
    def differential(dx, y):
        return torch.where(y <= 0, 0, dx)


class LeakyReLU(Pointwise):
    r"""y = x for x > 0, and s x elsewhere, with the number s = negative_slope.

    Derivation: the slope is 1 for x > 0 and s for x < 0, and at the kink s by torch's convention.
    Shapes: x and y alike, any.
    Saves x: with a negative s the sign of y does not tell that of x.
    Source: Maas, Hannun and Ng 2013, "Rectifier Nonlinearities Improve Neural Network Acoustic
    Models".

    >>> LeakyReLU.call(torch.tensor([-2.0, 0.0, 3.0]), 0.01)
    tensor([-0.0200,  0.0000,  3.0000])
    """

    @staticmethod
    def forward(x, negative_slope):
        return torch.where(x > 0, x, negative_slope * x)

    @staticmethod
    def differential(dx, x, negative_slope):
        return torch.where(x > 0, dx, negative_slope * dx)


class PReLU(RoundedOnce):
    r"""y = x for x > 0, and w x elsewhere, with a weight w that is learnt.

    Derivation: ∂y/∂x = 1 for x > 0 and else w; ∂y/∂w = 0 for x > 0 and else x, and a weight that
    was broadcast takes the sum over the entries that it served. At the kink ∂y/∂x is w by torch's
    convention.
    Shapes: x and y alike, any; weight broadcastable to x.
    Saves x and weight.
    Source: He et al. 2015, "Delving Deep into Rectifiers".

    >>> PReLU.call(torch.tensor([-2.0, 0.0, 3.0]), torch.tensor(0.25))
    tensor([-0.5000,  0.0000,  3.0000])
    """

    @staticmethod
    def forward(x, weight):
        return torch.where(x > 0, x, weight * x)

    setup_context = staticmethod(save_inputs)

    @staticmethod
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        need_x, need_weight = ctx.needs_input_grad
        grad_x = torch.where(x > 0, grad_y, weight * grad_y) if need_x else None
        grad_weight = None
        if need_weight:
            grad_weight = torch.where(x > 0, 0, x * grad_y).sum_to_size(weight.shape)
        return grad_x, grad_weight

    @staticmethod
    def tangent(ctx, dx, dweight):
        x, weight = ctx.saved_tensors
        return torch.where(x > 0, dx, weight * dx + x * dweight)


class ELU(Pointwise):
    r"""y = x for x > 0, and α (eˣ − 1) elsewhere, with a number α.

    Derivation: the slope is 1 for x > 0 and α eˣ for x < 0, and at the kink α by torch's
    convention. The second derivative at the kink is torch's 0.
    Shapes: x and y alike, any.
    Saves x: from y + α, which is α eˣ, the digits of eˣ are gone.
    Source: Clevert, Unterthiner and Hochreiter 2015, "Fast and Accurate Deep Network Learning by
    Exponential Linear Units".

    >>> ELU.call(torch.tensor([-1e4, -1.0, 0.0, 3.0]), 1.0)
    tensor([-1.0000, -0.6321,  0.0000,  3.0000])
    """

    @staticmethod
    def forward(x, alpha):
        return x.clamp_min(0) + alpha * torch.expm1(x.clamp_max(0))

    @staticmethod
    def differential(dx, x, alpha):
        left = torch.where(x < 0, x, 0)  # eˣ of a large x is ∞, and 0 · ∞ of its derivative is NaN
        return torch.where(x <= 0, dx * (alpha * torch.exp(left)), dx)


ALPHA, SCALE = 1.6732632423543772848, 1.0507009873554804934  # α and λ of SELU


class SELU(Pointwise):
    r"""y = λ ELU(x), with α and λ such that mean 0 and variance 1 are kept from layer to layer.

    Derivation: that of `ELU`, λ times. At the kink the slope is λ α by torch's convention.
    Shapes: x and y alike, any.
    Saves x.
    Source: Klambauer et al. 2017, "Self-Normalizing Neural Networks".

    >>> SELU.call(torch.tensor([-1e4, -1.0, 0.0, 3.0]))
    tensor([-1.7581, -1.1113,  0.0000,  3.1521])
    """

    @staticmethod
    def forward(x):
        return SCALE * ELU.forward(x, ALPHA)

    @staticmethod
    def differential(dx, x):
        return SCALE * ELU.differential(dx, x, ALPHA)


class Hardsigmoid(Pointwise):
    r"""y = min(max(x + 3, 0), 6) / 6.

    Derivation: the slope is 1/6 between −3 and 3 and 0 outside, and at both kinks 0 by torch's
    convention. torch's 1/6 is a float32 number whatever arrives, this one is not.
    Shapes: x and y alike, any.
    Saves x.
    Source: Howard et al. 2019, "Searching for MobileNetV3".

    >>> Hardsigmoid.call(torch.tensor([-4.0, 0.0, 1.5, 4.0]))
    tensor([0.0000, 0.5000, 0.7500, 1.0000])
    """

    @staticmethod
    def forward(x):
        return torch.clamp(x + 3, 0, 6) / 6

    @staticmethod
    def differential(dx, x):
        return torch.where((x > -3) & (x < 3), dx / 6, 0)


class Hardswish(Pointwise):
    r"""y = x min(max(x + 3, 0), 6) / 6.

    Derivation: between −3 and 3 y = (x² + 3x) / 6, of slope x/3 + ½; to the left the slope is 0
    and to the right 1. At the kinks these are its values, 0 at −3 and 1 at 3, by torch's
    convention, and not the −½ and 1½ that the curve between has there.
    Shapes: x and y alike, any.
    Saves x.
    Source: Howard et al. 2019, "Searching for MobileNetV3".

    >>> Hardswish.call(torch.tensor([-4.0, 0.0, 1.5, 4.0]))
    tensor([-0.0000, 0.0000, 1.1250, 4.0000])
    """

    @staticmethod
    def forward(x):
        return x * (torch.clamp(x + 3, 0, 6) / 6)

    @staticmethod
    def differential(dx, x):
        between = torch.where(x < 3, dx * (x.clamp(-3, 3) / 3 + 0.5), dx)
        return torch.where(x <= -3, 0, between)
