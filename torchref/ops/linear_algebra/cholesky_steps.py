"""The Cholesky factor column by column, and its backward column by column from the other end.

This is the long way to what `Cholesky` collapses. A plain function of one matrix: autograd is not
asked, and nothing is saved.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class CholeskySteps(NamedTuple):
    """What `cholesky_steps` goes through; of the lists each entry belongs to a column."""

    pivots: list[Tensor]
    below: list[Tensor]
    y: Tensor
    grads_below: list[Tensor]
    grads_diagonal: list[Tensor]
    grads_pivot: list[Tensor]
    grad_triangle: Tensor
    grad_x: Tensor


def cholesky_steps(x: Tensor, grad_y: Tensor) -> CholeskySteps:
    """`Cholesky`, the lower factor, and its backward, step by step.

    >>> x, grad_y = torch.tensor([[4.0, 2.0], [2.0, 10.0]]), torch.tensor([[0.0, 0.0], [0.0, 1.0]])
    >>> steps = cholesky_steps(x, grad_y)
    >>> steps.pivots, steps.grad_x
    ([tensor(4.), tensor(9.)], tensor([[ 0.0417, -0.0833],
            [-0.0833,  0.1667]]))
    """
    triangle = ((x + x.mT) / 2).tril()
    y = torch.zeros_like(x)
    pivots: list[Tensor] = []
    below: list[Tensor] = []
    for j in range(len(x)):
        row = y[j, :j].clone()  # what is left of the diagonal
        pivots.append(triangle[j, j] - row @ row)
        y[j, j] = pivots[j].sqrt()
        below.append(triangle[j + 1 :, j] - y[j + 1 :, :j] @ row)
        y[j + 1 :, j] = below[j] / y[j, j]

    grad = grad_y.tril()  # of y; a column adds to it what it passes on to those on its left
    grad_triangle = torch.zeros_like(x)
    grads_below: list[Tensor] = []
    grads_diagonal: list[Tensor] = []
    grads_pivot: list[Tensor] = []
    for j in reversed(range(len(x))):
        row, rows_below = y[j, :j], y[j + 1 :, :j]
        # y[below, j] = below / y[j, j]
        grad_below = grad[j + 1 :, j] / y[j, j]
        grad_diagonal = grad[j, j] - grad_below @ y[j + 1 :, j]
        # y[j, j] = √pivot
        grad_pivot = grad_diagonal / (2 * y[j, j])
        # below = triangle[below, j] − rows_below · row, and pivot = triangle[j, j] − row · row
        grad_triangle[j + 1 :, j] = grad_below
        grad_triangle[j, j] = grad_pivot
        grad[j + 1 :, :j] -= torch.outer(grad_below, row)
        grad[j, :j] -= grad_below @ rows_below + 2 * grad_pivot * row
        grads_below.insert(0, grad_below)
        grads_diagonal.insert(0, grad_diagonal)
        grads_pivot.insert(0, grad_pivot)
    # triangle is the lower one of (x + xᵀ) / 2
    grad_x = (grad_triangle + grad_triangle.mT) / 2

    return CholeskySteps(
        pivots, below, y, grads_below, grads_diagonal, grads_pivot, grad_triangle, grad_x
    )
