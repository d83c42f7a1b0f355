"""Two vectors are to point the same way, or not to; and the long way to their gradients."""

from typing import NamedTuple

import torch
from torch import Tensor

from torchref.ops.losses.log_loss import EPS
from torchref.ops.op import RoundedOnce, save


def of_unit_length(x: Tensor) -> tuple[Tensor, Tensor]:
    """x / ρ, and ρ = √(Σ x² + ε)."""
    rho = ((x * x).sum(-1, keepdim=True) + EPS).sqrt()
    return x / rho, rho


class CosineEmbedding(RoundedOnce):
    r"""y = 1 − c where the target is 1, and max(0, c − m) where it is −1, with a margin m.

    c = Σ a b is the cosine between x and x′ along the last dimension: a = x / ρ, b = x′ / ρ′ with
    ρ = √(Σ x² + ε), ρ′ alike, and torch's ε = 1e-12. For any other target y is 0, by torch's
    convention.

    Derivation: ∂ρ/∂x = x / ρ = a, so ∂a_j/∂x_i = (δ_ij − a_j a_i) / ρ and

        ∂c/∂x = (b − c a) / ρ:

    b without its part along a, for turning alone changes an angle. ∂c/∂x′ = (a − c b) / ρ′ alike,
    and ∂y/∂c is −1 where the target is 1; where it is −1 it is 1 for c ≥ m, at the kink by torch's
    convention, and else 0. Of the target, a label, there is no derivative.
    `cosine_embedding_steps` goes the long way.
    Shapes: x and other (which is x′) (..., D), target and y (...).
    Saves x, other and target.
    Source: `torch.nn.functional.cosine_embedding_loss`.

    >>> x, other = torch.tensor([[3.0, 4.0]]), torch.tensor([[4.0, 3.0]])
    >>> CosineEmbedding.call(x, other, torch.tensor([1]), 0.0)
    tensor([0.0400])
    """

    @staticmethod
    def forward(x, other, target, margin):
        cosine = (of_unit_length(x)[0] * of_unit_length(other)[0]).sum(-1)
        apart = torch.where(target == -1, (cosine - margin).clamp_min(0), 0)
        return torch.where(target == 1, 1 - cosine, apart)

    @staticmethod
    def setup_context(ctx, inputs, output):
        *tensors, ctx.margin = inputs
        save(ctx, *tensors)

    @staticmethod
    def backward(ctx, grad_y):
        x, other, target = ctx.saved_tensors
        need_x, need_other, *_ = ctx.needs_input_grad
        (a, rho), (b, other_rho) = of_unit_length(x), of_unit_length(other)
        cosine = (a * b).sum(-1, keepdim=True)
        g = of_cosine(grad_y, cosine.squeeze(-1), target, ctx.margin).unsqueeze(-1)
        grad_x = g * (b - cosine * a) / rho if need_x else None
        grad_other = g * (a - cosine * b) / other_rho if need_other else None
        return grad_x, grad_other, None, None  # target, margin

    @staticmethod
    def tangent(ctx, dx, dother, _target, _margin):
        x, other, target = ctx.saved_tensors
        (a, rho), (b, other_rho) = of_unit_length(x), of_unit_length(other)
        cosine = (a * b).sum(-1, keepdim=True)
        dcosine = dx * (b - cosine * a) / rho + dother * (a - cosine * b) / other_rho
        return of_cosine(dcosine.sum(-1), cosine.squeeze(-1), target, ctx.margin)


def of_cosine(dcosine: Tensor, cosine: Tensor, target: Tensor, margin: float) -> Tensor:
    """∂y/∂c dc."""
    apart = torch.where((target == -1) & (cosine - margin >= 0), dcosine, 0)
    return torch.where(target == 1, -dcosine, apart)


class CosineEmbeddingSteps(NamedTuple):
    """What `cosine_embedding_steps` goes through, in its order; each is named as in the code."""

    squares: Tensor
    other_squares: Tensor
    rho: Tensor
    other_rho: Tensor
    product: Tensor
    cosine: Tensor
    y: Tensor
    grad_cosine: Tensor
    grad_product: Tensor
    grad_rho: Tensor
    grad_other_rho: Tensor
    grad_squares: Tensor
    grad_other_squares: Tensor
    grad_x: Tensor
    grad_other: Tensor


def cosine_embedding_steps(
    x: Tensor, other: Tensor, target: Tensor, margin: float, grad_y: Tensor
) -> CosineEmbeddingSteps:
    """`CosineEmbedding` and its backward, step by step, every intermediate and its gradient.

    >>> x, other = torch.tensor([3.0, 4.0]), torch.tensor([4.0, 3.0])
    >>> steps = cosine_embedding_steps(x, other, torch.tensor(1), 0.0, torch.tensor(1.0))
    >>> steps.cosine, steps.grad_rho, steps.grad_x
    (tensor([0.9600]), tensor([0.1920]), tensor([-0.0448,  0.0336]))
    """
    squares = (x * x).sum(-1, keepdim=True) + EPS
    other_squares = (other * other).sum(-1, keepdim=True) + EPS
    rho, other_rho = squares.sqrt(), other_squares.sqrt()
    product = (x * other).sum(-1, keepdim=True)
    cosine = product / (rho * other_rho)
    label = target.unsqueeze(-1)
    apart = torch.where(label == -1, (cosine - margin).clamp_min(0), 0)
    y = torch.where(label == 1, 1 - cosine, apart).squeeze(-1)

    # y = 1 − cosine, or max(0, cosine − margin)
    grad_cosine = of_cosine(grad_y.unsqueeze(-1), cosine, label, margin)
    # cosine = product / (rho · other_rho)
    grad_product = grad_cosine / (rho * other_rho)
    grad_rho = -grad_cosine * cosine / rho
    grad_other_rho = -grad_cosine * cosine / other_rho
    # rho = √squares
    grad_squares = grad_rho / (2 * rho)
    grad_other_squares = grad_other_rho / (2 * other_rho)
    # x has two uses, in product = Σ x · other and in squares = Σ x², whose gradients add up
    grad_x = grad_product * other + 2 * grad_squares * x
    grad_other = grad_product * x + 2 * grad_other_squares * other

    return CosineEmbeddingSteps(
        squares,
        other_squares,
        rho,
        other_rho,
        product,
        cosine,
        y,
        grad_cosine,
        grad_product,
        grad_rho,
        grad_other_rho,
        grad_squares,
        grad_other_squares,
        grad_x,
        grad_other,
    )
