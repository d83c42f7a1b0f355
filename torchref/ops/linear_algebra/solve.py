"""Linear equations."""

import torch

from torchref.ops.op import Op, save


class Solve(Op):
    r"""The y of W y = x, or with left=False of y W = x, for a matrix W, the weight.

    Derivation: W y = x gives dW y + W dy = dx, so dy = W⁻¹ (dx − dW y). With g = ∂L/∂y and
    r = W⁻ᵀ g, an equation with the transposed matrix,
        ∂L/∂x = r,  ∂L/∂W = −r yᵀ;
    and of y W = x alike r = g W⁻ᵀ, ∂L/∂x = r, ∂L/∂W = −yᵀ r. No inverse is computed. What was
    broadcast takes the sum over what it served.
    Shapes: weight (..., n, n); x (..., n, k), or (..., k, n) with left=False, of as many dimensions
    as weight or more; the leading ones are broadcast, and y has them all.
    Saves weight and y. A singular weight is torch's `LinAlgError`.
    Source: Giles 2008, "Collected Matrix Derivative Results".

    >>> Solve.call(torch.tensor([[2.0, 0.0], [1.0, 1.0]]), torch.tensor([[2.0], [3.0]]), True)
    tensor([[1.],
            [2.]])
    """

    @staticmethod
    def forward(weight, x, left):
        return torch.linalg.solve(weight, x, left=left)

    @staticmethod
    def setup_context(ctx, inputs, output):
        weight, x, ctx.left = inputs
        ctx.x_shape = x.shape
        save(ctx, weight, output)

    @staticmethod
    def backward(ctx, grad_y):
        weight, y = ctx.saved_tensors
        need_weight, need_x, _ = ctx.needs_input_grad
        factors = torch.linalg.lu_factor(weight)  # of the same pivots as in the forward
        grad_x = torch.linalg.lu_solve(*factors, grad_y, left=ctx.left, adjoint=True)
        grad_weight = None
        if need_weight:
            product = grad_x @ y.mT if ctx.left else y.mT @ grad_x
            grad_weight = -product.sum_to_size(weight.shape)
        return grad_weight, grad_x.sum_to_size(ctx.x_shape) if need_x else None, None  # left

    @staticmethod
    def tangent(ctx, dweight, dx, _left):
        weight, y = ctx.saved_tensors
        moved = dweight @ y if ctx.left else y @ dweight
        return Solve.call(weight, dx - moved, ctx.left)
