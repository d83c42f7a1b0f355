"""torchlpc: all-pole filters whose coefficients change with time."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Shelf

torchlpc = pytest.importorskip("torchlpc", reason="torchlpc is not installed")
FUNCTIONS = Shelf("torchlpc")


def sample_by_sample(x: Tensor, a: Tensor, zi: Tensor) -> Tensor:
    past, out = list(zi.unbind(1)), []
    for t in range(x.shape[1]):
        y = x[:, t] - sum(a[:, t, i] * past[i] for i in range(len(past)))
        past = [y, *past[:-1]]
        out.append(y)
    return torch.stack(out, 1)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(3, 17), 0.3 * draw.normal(3, 17, 4), draw.normal(3, 4)),
    sample_by_sample,
)
def lpc(x: Tensor, a: Tensor, zi: Tensor) -> Tensor:
    return torchlpc.sample_wise_lpc(x, a, zi)


@FUNCTIONS.holds(lambda draw: (draw.normal(3, 11), 0.5 * draw.normal(3, 11, 1)))
def lpc_of_first_order(x: Tensor, a: Tensor) -> Tensor:
    return torchlpc.sample_wise_lpc(x, a)
