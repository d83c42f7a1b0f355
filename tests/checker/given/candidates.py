"""Functions that several tests judge: right with a convention of their own, and half right."""

import torch

from tests.corpora.wrong_ops.rule import Rule, gradients_of


def relu_with_slope_at_zero(slope: float) -> type[Rule]:
    """relu whose derivative at 0 is a convention of its own."""

    @gradients_of(lambda x: x.relu())
    def Relu(grad_y, x):
        return grad_y * torch.where(x == 0, slope, (x > 0).to(x.dtype))

    return Relu


def shares_of_ties(first: float, rest: float) -> type[Rule]:
    """Maximum along rows; of those that tie, the first and all others get these shares."""

    @gradients_of(lambda x: x.amax(1))
    def Maximum(grad_y, x):
        largest = x == x.amax(1, keepdim=True)
        count = largest.sum(1, keepdim=True)
        share = torch.where(largest.cumsum(1) == 1, first, rest / (count - 1))
        share = torch.where(count == 1, 1.0, share)
        return grad_y.unsqueeze(1) * torch.where(largest, share, 0.0)

    return Maximum


@gradients_of(lambda x: x + x)
def Doubled(grad_y, x):
    """y = x + x, whose gradient counts x once."""
    return grad_y.clone()


@gradients_of(lambda x, factor: factor * x)
def Scaled(grad_y, x, factor):
    """y = factor · x, right unless the factor is 3."""
    return grad_y * (1.0 if factor == 3 else factor), None


@gradients_of(lambda x, scale: scale * torch.sin(x))
def SlopeForgotten(grad_y, x, scale):
    """y = scale · sin x, whose gradient of the scale is right and that of x lacks the scale."""
    return grad_y * torch.cos(x), grad_y * torch.sin(x)
