"""A linear layer and the cross-entropy behind it, without all logits at one time."""

import torch
from torch import Tensor

from torchref.ops.linear.affine import Affine, rows
from torchref.ops.losses.index_cross_entropy import (
    logits_gradient,
    row_losses,
    row_tangents,
    weight_gradient,
)
from torchref.ops.op import RoundedOnce, save


class LinearCrossEntropy(RoundedOnce):
    r"""y = `IndexCrossEntropy` of the logits z = x Wᵀ + b, `rows` rows of them at a time.

    Derivation: with G = ∂L/∂z, the gradient of `IndexCrossEntropy`, that of `Affine` is
        ∂L/∂x = G W,  ∂L/∂W = Gᵀ x,  ∂L/∂b = Σ_n G_n,
    of which the first belongs to each row alone, and the others are sums over the rows. So both
    ways go through a few rows after the other, and what is made of them is all that stays: no
    tensor has the size of z, which backward computes again. A second backward does keep what the
    first has made of all rows.
    Shapes: x (N, ..., D), weight W (C, D), bias b (C) or None, target and y (N, ...), the one of
    class numbers, class_weight (C) or None; rows ≥ 1, counted along N.
    Saves x, weight, bias, target and class_weight.
    Source: Wijmans et al. 2024, "Cut Your Losses in Large-Vocabulary Language Models", and
    `torch.nn.functional.linear_cross_entropy`.

    >>> x, weight = torch.tensor([[0.0], [1e4]]), torch.tensor([[1.0], [2.0]])
    >>> LinearCrossEntropy.call(x, weight, None, torch.tensor([0, 0]), None, -100, 0.0, 1)
    tensor([6.9315e-01, 1.0000e+04])
    """

    @staticmethod
    def forward(x, weight, bias, target, class_weight, ignore_index, label_smoothing, rows):
        options = class_weight, ignore_index, label_smoothing
        return torch.cat(
            [
                row_losses(Affine.forward(few, weight, bias), their, *options)
                for few, their in in_chunks(rows, x, target)
            ]
        )

    @staticmethod
    def setup_context(ctx, inputs, output):
        *tensors, ignore_index, label_smoothing, ctx.rows = inputs
        ctx.options = ignore_index, label_smoothing
        save(ctx, *tensors)

    @staticmethod
    def backward(ctx, grad_y):
        x, weight, bias, target, class_weight = ctx.saved_tensors
        need_x, need_weight, need_bias, _, need_class_weight, *_ = ctx.needs_input_grad
        grads_x, grad_weight, grad_bias, grad_class_weight = [], None, None, None
        for few, their, grad_few in in_chunks(ctx.rows, x, target, grad_y):
            given = Affine.forward(few, weight, bias), their, class_weight, *ctx.options
            grad_z = logits_gradient(grad_few, *given)
            if need_x:
                grads_x.append(grad_z @ weight)
            if need_weight:
                grad_weight = plus(grad_weight, rows(grad_z).T @ rows(few))
            if need_bias:
                grad_bias = plus(grad_bias, rows(grad_z).sum(0))
            if need_class_weight:
                grad_class_weight = plus(grad_class_weight, weight_gradient(grad_few, *given))
        grad_x = torch.cat(grads_x) if need_x else None
        return grad_x, grad_weight, grad_bias, None, grad_class_weight, None, None, None

    @staticmethod
    def tangent(ctx, dx, dweight, dbias, _target, dclass_weight, *_):
        x, weight, bias, target, class_weight = ctx.saved_tensors
        dy = []
        for few, dfew, their in in_chunks(ctx.rows, x, dx, target):
            z = Affine.forward(few, weight, bias)
            dz = Affine.forward(dfew, weight, dbias) + few @ dweight.T
            dy.append(row_tangents(dz, dclass_weight, z, their, class_weight, *ctx.options))
        return torch.cat(dy)


def in_chunks(rows: int, *tensors: Tensor) -> list[tuple[Tensor, ...]]:
    """The same few rows of each, from first to last; of no rows one empty chunk."""
    count = max(len(tensors[0]), 1)
    return [tuple(x[at : at + rows] for x in tensors) for at in range(0, count, rows)]


def plus(total: Tensor | None, term: Tensor) -> Tensor:
    return term if total is None else total + term
