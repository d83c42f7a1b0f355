"""A form that is linear in each of two inputs."""

import torch

from torchref.ops.linear.affine import rows
from torchref.ops.op import RoundedOnce, save


class Bilinear(RoundedOnce):
    r"""y_o = x W_o x′ᵀ + b_o, with x′ = other: Σ_ij x_i W_oij x′_j for each output o.

    Derivation: each of x, x′ and W enters once, so that with g = ∂L/∂y and n the leading dimensions
        ∂L/∂x_ni = Σ_oj g_no W_oij x′_nj,  ∂L/∂x′_nj = Σ_oi g_no W_oij x_ni,
        ∂L/∂W_oij = Σₙ g_no x_ni x′_nj,  ∂L/∂b_o = Σₙ g_no.
    The sums over n and i together, and over o and j, are one product of matrices each.
    Shapes: x (..., i), other (..., j), weight (o, i, j), bias (o) or None, y (..., o).
    Saves x, other and weight: each derivative is made of the two others.
    Source: `torch.nn.functional.bilinear`.

    >>> x, other = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]])
    >>> Bilinear.call(x, other, torch.eye(2).unsqueeze(0), torch.tensor([0.5]))
    tensor([[11.5000]])
    """

    @staticmethod
    def forward(x, other, weight, bias):
        y = contracted(x, other, weight)
        return y if bias is None else y + bias

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, other, weight, _ = inputs
        save(ctx, x, other, weight)

    @staticmethod
    def backward(ctx, grad_y):
        x, other, weight = ctx.saved_tensors
        need_x, need_other, need_weight, need_bias = ctx.needs_input_grad
        grad_x = contracted(grad_y, other, weight.transpose(0, 1)) if need_x else None
        grad_other = contracted(grad_y, x, weight.permute(2, 0, 1)) if need_other else None
        grad_weight = None
        if need_weight:
            pairs = rows(grad_y).unsqueeze(-1) * rows(x).unsqueeze(-2)
            grad_weight = torch.tensordot(pairs, rows(other), ((0,), (0,)))
        grad_bias = rows(grad_y).sum(0) if need_bias else None
        return grad_x, grad_other, grad_weight, grad_bias

    @staticmethod
    def tangent(ctx, dx, dother, dweight, dbias):
        x, other, weight = ctx.saved_tensors
        dy = contracted(dx, other, weight) + contracted(x, dother, weight)
        dy = dy + contracted(x, other, dweight)
        return dy if dbias is None else dy + dbias


def contracted(left, right, weight):
    """Σ_ij left_i weight_oij right_j, for each o."""
    by_right = torch.tensordot(right, weight, ((-1,), (2,)))  # (..., o, i)
    return (by_right @ left.unsqueeze(-1)).squeeze(-1)
