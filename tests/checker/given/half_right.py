"""Candidates whose gradients are wrong."""

import torch

from tests.corpora.wrong_ops.rule import gradients_of


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
