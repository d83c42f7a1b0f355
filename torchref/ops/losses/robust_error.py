"""Errors that grow like |x − t| far away, where a few wild targets do not decide."""

import torch

from torchref.ops.losses.difference import OfDifference


class AbsoluteError(OfDifference):
    r"""y = |x − t|, with the target t, entry by entry.

    Derivation: with d = x − t, ∂y/∂x = sign(d) = −∂y/∂t, and 0 at the kink by torch's convention.
    Shapes: x, target and y alike, any.
    Saves x and target.
    Source: `torch.nn.functional.l1_loss`; the median is where its sum is least.

    >>> AbsoluteError.call(torch.tensor([1.0, -2.0]), torch.tensor([3.0, -2.0]))
    tensor([2., 0.])
    """

    @staticmethod
    def forward(x, target):
        return (x - target).abs()

    @staticmethod
    def differential(dd, d):
        return dd * d.sign()


class HuberError(OfDifference):
    r"""y = d² / 2 for |d| < δ, and δ (|d| − δ/2) elsewhere, with d = x − t and a number δ > 0.

    Derivation: ∂y/∂x is d in the middle and δ sign(d) outside, and ∂y/∂t its negative. Where the
    pieces meet they have one value and one slope, and two second derivatives, of which the one
    outside, 0, is torch's convention.
    Shapes: x, target and y alike, any.
    Saves x and target.
    Source: Huber 1964, "Robust Estimation of a Location Parameter".

    >>> HuberError.call(torch.tensor([0.5, 3.0]), torch.zeros(2), 1.0)
    tensor([0.1250, 2.5000])
    """

    @staticmethod
    def forward(x, target, delta):
        size = (x - target).abs()
        return torch.where(size < delta, size * size / 2, delta * (size - delta / 2))

    @staticmethod
    def differential(dd, d, delta):
        return dd * torch.where(d.abs() < delta, d, delta * d.sign())


class SmoothAbsoluteError(OfDifference):
    r"""y = d² / (2β) for |d| < β, and |d| − β/2 elsewhere, with d = x − t and a number β ≥ 0.

    Derivation: it is `HuberError` with δ = β, divided by β, and so is its slope: d/β in the middle
    and sign(d) outside. For β → 0 it tends to `AbsoluteError`, which it is for β = 0.
    Shapes: x, target and y alike, any.
    Saves x and target.
    Source: Girshick 2015, "Fast R-CNN"; `torch.nn.functional.smooth_l1_loss`.

    >>> SmoothAbsoluteError.call(torch.tensor([0.5, 3.0]), torch.zeros(2), 2.0)
    tensor([0.0625, 2.0000])
    """

    @staticmethod
    def forward(x, target, beta):
        size = (x - target).abs()
        if beta == 0:
            return size
        return torch.where(size < beta, size * (size / (2 * beta)), size - beta / 2)

    @staticmethod
    def differential(dd, d, beta):
        return dd * torch.where(d.abs() < beta, d / beta, d.sign()) if beta else dd * d.sign()
