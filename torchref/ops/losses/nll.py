"""The right class given by its number: what that picks of a row, and the loss that is just this.

No row of zeros with a one is made. A number that is `ignore_index` picks nothing.
"""

import torch
from torch import Tensor

from torchref.ops.op import RoundedOnce, save


def counted(target: Tensor, ignore_index: int) -> tuple[Tensor, Tensor]:
    """Which rows count, and for each a class that there is: of those that do not, class 0."""
    counts = target != ignore_index
    return counts, torch.where(counts, target, 0)


def picked(x: Tensor, number: Tensor) -> Tensor:
    """Of each row of x the entry with this number."""
    return x.gather(-1, number.unsqueeze(-1)).squeeze(-1)


def added(x: Tensor, number: Tensor, values: Tensor) -> Tensor:
    """x, and in each row the value added to the entry with this number: `picked` turned round."""
    return x.scatter_add(-1, number.unsqueeze(-1), values.unsqueeze(-1))


def with_instead(x: Tensor, number: Tensor, values: Tensor) -> Tensor:
    """x, and in each row the value instead of the entry with this number."""
    return x.scatter(-1, number.unsqueeze(-1), values.unsqueeze(-1))


def totals(weight: Tensor, number: Tensor, values: Tensor) -> Tensor:
    """For each class the sum of the values with its number: weight[number] turned round."""
    return torch.zeros_like(weight).index_put((number,), values, accumulate=True)


class NLL(RoundedOnce):
    r"""y = −w_t x_t, of a row x of logarithms the one of the class t, weighed by w or by 1.

    Derivation: ∂y/∂x_i = −w_t δ_it and ∂y/∂w_i = −x_t δ_it, so a gradient goes to one entry of each
    row, and to a weight from all rows of its class. Rows whose target is `ignore_index` have y = 0,
    and send nothing back, whatever stands in them.
    Shapes: x (..., C), target (...) of class numbers, weight (C) or None, y (...).
    Saves x, target and weight.
    Source: `torch.nn.functional.nll_loss`.

    >>> x = torch.tensor([[0.5, 0.5], [0.25, 0.75]]).log()
    >>> NLL.call(x, torch.tensor([0, 1]), None, -100)
    tensor([0.6931, 0.2877])
    """

    @staticmethod
    def forward(x, target, weight, ignore_index):
        counts, number = counted(target, ignore_index)
        chosen = picked(x, number)
        return torch.where(counts, -chosen if weight is None else -weight[number] * chosen, 0)

    @staticmethod
    def setup_context(ctx, inputs, output):
        *tensors, ctx.ignore_index = inputs
        save(ctx, *tensors)

    @staticmethod
    def backward(ctx, grad_y):
        x, target, weight = ctx.saved_tensors
        need_x, _, need_weight, _ = ctx.needs_input_grad
        counts, number = counted(target, ctx.ignore_index)
        grad_row = -torch.where(counts, grad_y, 0)
        grad_x = grad_weight = None
        if need_x:
            of_chosen = grad_row if weight is None else grad_row * weight[number]
            grad_x = added(torch.zeros_like(x), number, of_chosen)
        if need_weight:
            of_weight = torch.where(counts, grad_row * picked(x, number), 0)
            grad_weight = totals(weight, number, of_weight)
        return grad_x, None, grad_weight, None  # target, ignore_index

    @staticmethod
    def tangent(ctx, dx, _target, dweight, _ignore_index):
        x, target, weight = ctx.saved_tensors
        counts, number = counted(target, ctx.ignore_index)
        dy = -picked(dx, number)
        if weight is not None:
            dy = dy * weight[number] - dweight[number] * picked(x, number)
        return torch.where(counts, dy, 0)
