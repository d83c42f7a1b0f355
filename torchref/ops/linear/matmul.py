"""The matrix product of every rank: vectors, matrices, and batches that broadcast."""

from torch import Tensor

from torchref.ops.linear.affine import rows
from torchref.ops.op import Op, save_inputs


def as_matrices(x: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """A vector on the left is a row, one on the right a column."""
    return (
        x.unsqueeze(0) if x.dim() == 1 else x,
        other.unsqueeze(-1) if other.dim() == 1 else other,
    )


def left_gradient(grad: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """∂L/∂A = Σ G Bᵀ, over the batches that A was broadcast to: one product where A is a matrix."""
    if left.dim() == 2:
        return rows(grad.mT).T @ rows(right.mT)
    return (grad @ right.mT).sum_to_size(left.shape)


def right_gradient(grad: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """∂L/∂B = Σ Aᵀ G, over the batches that B was broadcast to: one product where B is a matrix."""
    if right.dim() == 2:
        return rows(left).T @ rows(grad)
    return (left.mT @ grad).sum_to_size(right.shape)


class MatMul(Op):
    r"""y = A B, the sums Σ_k a_ik b_kj of every pair of matrices in two batches.

    Derivation: with G = ∂L/∂y, ∂L/∂a_ik = Σ_j G_ij b_kj and ∂L/∂b_kj = Σ_i a_ik G_ij, so
        ∂L/∂A = G Bᵀ,  ∂L/∂B = Aᵀ G.
    A batch that was broadcast was used by several products, whose gradients add up. For a matrix
    against a batch the sum over the batch is part of one product: that of all rows together.
    Shapes: x (..., n, k) or (k), other (..., k, m) or (k), y (..., n, m) without the n or m of a
    vector; what stands before the last two dimensions broadcasts.
    Saves x and other: each is the other's derivative.
    Source: `torch.matmul`.

    >>> MatMul.call(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1.0, 10.0]))
    tensor([21., 43.])
    """

    @staticmethod
    def forward(x, other):
        return x @ other

    setup_context = staticmethod(save_inputs)

    @staticmethod
    def backward(ctx, grad_y):
        x, other = ctx.saved_tensors
        need_x, need_other = ctx.needs_input_grad
        left, right = as_matrices(x, other)
        grad = grad_y if x.dim() > 1 else grad_y.unsqueeze(-1 if other.dim() == 1 else -2)
        grad = grad if other.dim() > 1 else grad.unsqueeze(-1)
        grad_x = left_gradient(grad, left, right).reshape(x.shape) if need_x else None
        grad_other = right_gradient(grad, left, right).reshape(other.shape) if need_other else None
        return grad_x, grad_other

    @staticmethod
    def tangent(ctx, dx, dother):
        x, other = ctx.saved_tensors
        return dx @ other + x @ dother
