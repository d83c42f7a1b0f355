"""Forward and backward one step at a time, every intermediate and its gradient by name.

This is the long way to what `Softmax`, `Sparsemax` and `SoftmaxCrossEntropy` collapse, to hold a
kernel to that goes wrong on the way. Plain functions: autograd is not asked, and nothing is saved.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from torchref.ops.softmax.sparsemax import Sparsemax


def to_the_largest(grad_largest: Tensor, x: Tensor, largest: Tensor, dim: int) -> Tensor:
    """∂L/∂x by max x, of which all that are largest have an equal part."""
    is_largest = x == largest
    return grad_largest * is_largest / is_largest.sum(dim, keepdim=True)


class SoftmaxSteps(NamedTuple):
    """What `softmax_steps` goes through, in its order; each is named as in the code."""

    largest: Tensor
    below: Tensor
    raised: Tensor
    total: Tensor
    y: Tensor
    grad_total: Tensor
    grad_raised: Tensor
    grad_below: Tensor
    grad_largest: Tensor
    grad_x: Tensor


def softmax_steps(x: Tensor, dim: int, grad_y: Tensor) -> SoftmaxSteps:
    """`Softmax` and its backward, step by step.

    >>> x, grad_y = torch.tensor([1.0, 1.0]), torch.tensor([1.0, 0.0])
    >>> steps = softmax_steps(x, -1, grad_y)
    >>> steps.total, steps.grad_largest, steps.grad_x
    (tensor([2.]), tensor([-0.]), tensor([ 0.2500, -0.2500]))
    """
    largest = x.amax(dim, keepdim=True)
    below = x - largest
    raised = torch.exp(below)
    total = raised.sum(dim, keepdim=True)
    y = raised / total

    # y = raised / total, whose one value a row was used by the whole row
    grad_total = -(grad_y * raised).sum(dim, keepdim=True) / total**2
    # raised has two uses, in y and in total = Σ raised, whose gradients add up
    grad_raised = grad_y / total + grad_total
    # raised = exp(below)
    grad_below = grad_raised * raised
    # below = x − largest: nothing depends on how much was subtracted, and this is 0
    grad_largest = -grad_below.sum(dim, keepdim=True)
    grad_x = grad_below + to_the_largest(grad_largest, x, largest, dim)

    return SoftmaxSteps(
        largest,
        below,
        raised,
        total,
        y,
        grad_total,
        grad_raised,
        grad_below,
        grad_largest,
        grad_x,
    )


class SparsemaxSteps(NamedTuple):
    """What `sparsemax_steps` goes through, in its order."""

    is_inside: Tensor
    entries: Tensor
    total: Tensor
    tau: Tensor
    y: Tensor
    grad_inside: Tensor
    grad_tau: Tensor
    grad_total: Tensor
    grad_x: Tensor


def sparsemax_steps(x: Tensor, dim: int, grad_y: Tensor) -> SparsemaxSteps:
    """`Sparsemax` and its backward, step by step.

    >>> x, grad_y = torch.tensor([0.0, 1.0, 1.5]), torch.tensor([0.0, 1.0, 0.0])
    >>> steps = sparsemax_steps(x, -1, grad_y)
    >>> steps.tau, steps.grad_total, steps.grad_x
    (tensor([0.7500]), tensor([-0.5000]), tensor([ 0.0000,  0.5000, -0.5000]))
    """
    # which entries are inside changes at single points only, and is a constant between them
    is_inside = Sparsemax.forward(x, dim) > 0
    entries = is_inside.sum(dim, keepdim=True)
    total = torch.where(is_inside, x, 0).sum(dim, keepdim=True)
    tau = (total - 1) / entries
    y = torch.where(is_inside, x - tau, 0)

    # y = x − tau inside, where the one value a row was used by the whole row
    grad_inside = torch.where(is_inside, grad_y, 0)
    grad_tau = -grad_inside.sum(dim, keepdim=True)
    # tau = (total − 1) / entries
    grad_total = grad_tau / entries
    # inside x has two uses, in y and in total, whose gradients add up
    grad_x = grad_inside + torch.where(is_inside, grad_total, 0)

    return SparsemaxSteps(
        is_inside, entries, total, tau, y, grad_inside, grad_tau, grad_total, grad_x
    )


class CrossEntropySteps(NamedTuple):
    """What `cross_entropy_steps` goes through, in its order."""

    largest: Tensor
    below: Tensor
    raised: Tensor
    total: Tensor
    log_total: Tensor
    log_p: Tensor
    y: Tensor
    grad_target: Tensor
    grad_log_p: Tensor
    grad_log_total: Tensor
    grad_total: Tensor
    grad_raised: Tensor
    grad_below: Tensor
    grad_largest: Tensor
    grad_x: Tensor


def cross_entropy_steps(x: Tensor, target: Tensor, grad_y: Tensor) -> CrossEntropySteps:
    """`SoftmaxCrossEntropy` and its backward, step by step, over the last dimension.

    Of a row of zeros and a one it is `IndexCrossEntropy`.

    >>> x, target = torch.zeros(2), torch.tensor([1.0, 0.0])
    >>> steps = cross_entropy_steps(x, target, torch.tensor(1.0))
    >>> steps.log_p, steps.grad_log_p, steps.grad_x
    (tensor([-0.6931, -0.6931]), tensor([-1., -0.]), tensor([-0.5000,  0.5000]))
    """
    largest = x.amax(-1, keepdim=True)
    below = x - largest
    raised = torch.exp(below)
    total = raised.sum(-1, keepdim=True)
    log_total = total.log()
    log_p = below - log_total
    y = -(target * log_p).sum(-1)

    # y = −Σ target · log_p
    grad_row = grad_y.unsqueeze(-1)
    grad_target = -grad_row * log_p
    grad_log_p = -grad_row * target
    # log_p = below − log_total, whose one value a row was used by the whole row
    grad_log_total = -grad_log_p.sum(-1, keepdim=True)
    # log_total = ln total, and total = Σ raised
    grad_total = grad_log_total / total
    grad_raised = grad_total.expand_as(raised)
    # below has two uses, in log_p and in raised = exp(below), whose gradients add up
    grad_below = grad_log_p + grad_raised * raised
    # below = x − largest: nothing depends on how much was subtracted, and this is 0
    grad_largest = -grad_below.sum(-1, keepdim=True)
    grad_x = grad_below + to_the_largest(grad_largest, x, largest, -1)

    return CrossEntropySteps(
        largest,
        below,
        raised,
        total,
        log_total,
        log_p,
        y,
        grad_target,
        grad_log_p,
        grad_log_total,
        grad_total,
        grad_raised,
        grad_below,
        grad_largest,
        grad_x,
    )
