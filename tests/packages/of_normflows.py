"""normflows: normalizing flows."""

import pytest
import torch
from torch import Tensor, nn

from tests.packages.published import Shelf

residual = pytest.importorskip("normflows.flows.residual", reason="normflows is not installed")
FUNCTIONS = Shelf("normflows")


def network(dtype: torch.dtype) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3)).to(dtype)


def estimated(x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    return residual.mem_eff_wrapper(
        residual.basic_logdet_estimator, network(x.dtype), x, 4, noise, lambda _k: 1.0, True
    )


@FUNCTIONS.holds(
    lambda draw: (draw.normal(5, 3), draw.normal(5, 3)),
    wrt=("x",),
    because="the noise is not learnt",
)
def log_determinant(x: Tensor, noise: Tensor) -> Tensor:
    y, log_determinants = estimated(x, noise)
    return y + log_determinants.sum()


@FUNCTIONS.holds(
    lambda draw: (draw.normal(5, 3), draw.normal(5, 3)),
    wrt=("x",),
    right=False,
    because="the gradient of the first log-determinant is taken for that of all",
)
def log_determinants(x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    return estimated(x, noise)
