"""Affine maps: with the bias beside the weight matrix, and with the bias inside it.

Index letters: o outputs, i inputs, n the leading dimensions of x taken together.
"""

import math

import torch
from torch import Tensor

from torchref.ops.op import Op, save, save_inputs


def rows(x: Tensor) -> Tensor:
    """All leading dimensions as one: (..., i) becomes (n, i). Unlike reshape(-1, i), i may be 0."""
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


class Affine(Op):
    r"""y = x Wᵀ + b.

    Derivation: y_no = Σᵢ x_ni W_oi + b_o, so
        ∂L/∂x_ni = Σ_o ∂L/∂y_no W_oi,  ∂L/∂W_oi = Σₙ ∂L/∂y_no x_ni,  ∂L/∂b_o = Σₙ ∂L/∂y_no.
    Shapes: x (..., i), weight (o, i), bias (o) or None, y (..., o).
    Saves x and weight: each is the other's derivative.
    Source: lectures 000 to 003, where z = x₁w₁ + x₂w₂ + b.

    >>> Affine.call(torch.tensor([[0.1]]), torch.tensor([[0.15]]), torch.tensor([0.4]))
    tensor([[0.4150]])
    """

    @staticmethod
    def forward(x, weight, bias):
        y = x @ weight.T
        return y if bias is None else y + bias

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, weight, _ = inputs
        save(ctx, x, weight)

    @staticmethod
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        need_x, need_weight, need_bias = ctx.needs_input_grad
        grad_x = grad_y @ weight if need_x else None
        grad_weight = rows(grad_y).T @ rows(x) if need_weight else None
        grad_bias = rows(grad_y).sum(0) if need_bias else None
        return grad_x, grad_weight, grad_bias

    @staticmethod
    def tangent(ctx, dx, dweight, dbias):
        x, weight = ctx.saved_tensors
        dy = dx @ weight.T + x @ dweight.T
        return dy if dbias is None else dy + dbias


def append_one(x: Tensor) -> Tensor:
    """[x; 1]: the homogeneous form of x, with a constant 1 after the last entry."""
    return torch.cat([x, x.new_ones(*x.shape[:-1], 1)], dim=-1)


class HomogeneousAffine(Op):
    r"""y = [x; 1] Wᵀ: the bias is the last column of W, against a constant input 1.

    Derivation: as for `Affine`, with x̃ = [x; 1] in place of x. The 1 is a constant, so the last
    column of W takes part in ∂L/∂W and not in ∂L/∂x.
    Shapes: x (..., i), weight (o, i + 1), y (..., o).
    Saves x and weight.
    Source: lecture 004, where the weight rows W₃₁, W₃₂ stand for the biases.

    >>> HomogeneousAffine.call(torch.tensor([[0.1]]), torch.tensor([[0.15, 0.4]]))
    tensor([[0.4150]])
    """

    @staticmethod
    def forward(x, weight):
        return append_one(x) @ weight.T

    setup_context = staticmethod(save_inputs)

    @staticmethod
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        need_x, need_weight = ctx.needs_input_grad
        grad_x = grad_y @ weight[:, :-1] if need_x else None
        grad_weight = rows(grad_y).T @ rows(append_one(x)) if need_weight else None
        return grad_x, grad_weight

    @staticmethod
    def tangent(ctx, dx, dweight):
        x, weight = ctx.saved_tensors
        return dx @ weight[:, :-1].T + append_one(x) @ dweight.T
