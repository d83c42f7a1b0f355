"""geomloss: distances between clouds of points."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Shelf

geomloss = pytest.importorskip("geomloss", reason="geomloss is not installed")
FUNCTIONS = Shelf("geomloss")


def gaussian(x: Tensor, y: Tensor) -> Tensor:
    return torch.exp(-2 * (x[:, None] - y).square().sum(-1)).mean()


@FUNCTIONS.holds(
    lambda draw: (draw.normal(5, 2), draw.normal(4, 2)),
    lambda x, y: gaussian(x, x) / 2 + gaussian(y, y) / 2 - gaussian(x, y),
)
def maximum_mean_discrepancy(x: Tensor, y: Tensor) -> Tensor:
    return geomloss.SamplesLoss("gaussian", blur=0.5, backend="tensorized")(x, y)


@FUNCTIONS.holds(lambda draw: (draw.normal(5, 2), draw.normal(4, 2)), dtype=torch.float64)
def laplacian(x: Tensor, y: Tensor) -> Tensor:
    return geomloss.SamplesLoss("laplacian", blur=0.5, backend="tensorized")(x, y)
