"""pysdtw: soft dynamic time warping, compiled by numba."""

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from tests.packages.published import Shelf

pysdtw = pytest.importorskip("pysdtw", reason="pysdtw is not installed")
FUNCTIONS = Shelf("pysdtw")


def soft_dtw_by_cells(x: Tensor, y: Tensor) -> Tensor:
    d = (x[:, :, None] - y[:, None]).square().sum(-1)
    inf = torch.full_like(d[:, 0, 0], torch.inf)
    above = [torch.zeros_like(inf)] + [inf] * d.shape[2]
    for i in range(d.shape[1]):
        row = [inf]
        for j in range(d.shape[2]):
            near = torch.stack([r for r in (above[j], above[j + 1], row[j]) if r is not inf])
            row.append(d[:, i, j] - torch.logsumexp(-near, 0))
        above = row
    return above[-1]


@FUNCTIONS.holds(lambda draw: (draw.normal(3, 6, 2), draw.normal(3, 5, 2)), soft_dtw_by_cells)
def soft_dtw(x: Tensor, y: Tensor) -> Tensor:
    return pysdtw.SoftDTW(gamma=1.0, use_cuda=False)(x, y)


def packed(*sequences: Tensor) -> PackedSequence:
    return pack_sequence(sequences, enforce_sorted=False)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(6, 2), draw.normal(4, 2), draw.normal(5, 2), draw.normal(5, 2)),
    vary=False,
    right=False,
    because="with a band around the diagonal backward draws that of a shorter sequence for the "
    "length to which it was padded: its gradient is NaN, or leaves out cells",
)
def soft_dtw_in_a_band(x1: Tensor, x2: Tensor, y1: Tensor, y2: Tensor) -> Tensor:
    soft_dtw = pysdtw.SoftDTW(gamma=1.0, use_cuda=False, bandwidth=2)
    return soft_dtw(packed(x1, x2), packed(y1, y2))
