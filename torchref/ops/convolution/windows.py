"""Windows over dimensions: the places that each takes, their sum, and its transpose.

Windows are places of a dimension, (windows, kernel): window t takes the places in row t. Where it
reaches outside, or is shorter than others, it takes the place behind the last, where a 0 stands.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from torchref.ops.indexing import IndexAdd, IndexSelect


def steps(windows: int, stride: int, padding: int, device: torch.device) -> Tensor:
    """Where each window begins, counted from the first place: negative in the padding."""
    return stride * torch.arange(windows, device=device) - padding


def places(start: Tensor, end: Tensor | int, kernel: int, dilation: int, length: int) -> Tensor:
    """From start on and before end, as rows of one size."""
    taken = start.unsqueeze(1) + dilation * torch.arange(kernel, device=start.device)
    return torch.where((taken >= 0) & (taken < end), taken, length)


def gathered(x: Tensor, dim: int, windows: Tensor) -> Tensor:
    """x with (windows, kernel) in place of dim: a place of it wherever a window takes it."""
    outside = x.new_zeros([1 if other == dim else size for other, size in enumerate(x.shape)])
    taken = IndexSelect.call(torch.cat((x, outside), dim), windows.reshape(-1), dim)
    return taken.reshape(*x.shape[:dim], *windows.shape, *x.shape[dim + 1 :])


def spread(g: Tensor, dim: int, windows: Tensor, length: int) -> Tensor:
    """The transpose of `gathered`: a place gets the sum over all windows that took it."""
    before, behind = g.shape[:dim], g.shape[dim + 2 :]
    in_a_row = g.reshape(*before, windows.numel(), *behind)
    zeros = g.new_zeros(*before, length + 1, *behind)
    return IndexAdd.call(zeros, windows.reshape(-1), in_a_row, dim, 1).narrow(dim, 0, length)


def summed(x: Tensor, windows: Sequence[Tensor]) -> Tensor:
    """The sum over each window of the last dimensions, one dimension after the other."""
    for dim, of_dim in enumerate(windows, start=x.dim() - len(windows)):
        x = gathered(x, dim, of_dim).sum(dim + 1)
    return x


def shared_out(g: Tensor, windows: Sequence[Tensor], lengths: Sequence[int]) -> Tensor:
    """The transpose of `summed`: a place gets g of each window that it was summed in."""
    first = g.dim() - len(windows)
    for dim, (of_dim, length) in enumerate(zip(windows, lengths, strict=True), start=first):
        for_each = g.unsqueeze(dim + 1)
        shape = list(for_each.shape)
        shape[dim + 1] = of_dim.shape[1]
        g = spread(for_each.expand(shape), dim, of_dim, length)
    return g
