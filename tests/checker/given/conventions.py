"""Right rules that differ in the slope they give where there is no derivative."""

import torch

from tests.corpora.wrong_ops.rule import Rule, gradients_of


def relu_with_slope_at_zero(slope: float) -> type[Rule]:
    """relu whose derivative at 0 is a convention of its own."""

    @gradients_of(lambda x: x.relu())
    def Relu(grad_y, x):
        return grad_y * torch.where(x == 0, slope, (x > 0).to(x.dtype))

    return Relu


def shares_of_ties(first: float, rest: float) -> type[Rule]:
    """Maximum along rows; of those that tie, the first and all others get these shares."""

    @gradients_of(lambda x: x.amax(1))
    def Maximum(grad_y, x):
        largest = x == x.amax(1, keepdim=True)
        count = largest.sum(1, keepdim=True)
        share = torch.where(largest.cumsum(1) == 1, first, rest / (count - 1))
        share = torch.where(count == 1, 1.0, share)
        return grad_y.unsqueeze(1) * torch.where(largest, share, 0.0)

    return Maximum
