"""tslearn: soft dynamic time warping as a loss."""

import pytest
from torch import Tensor

from tests.packages.published import Shelf

metrics = pytest.importorskip("tslearn.metrics", reason="tslearn is not installed")
FUNCTIONS = Shelf("tslearn")


@FUNCTIONS.holds(lambda draw: (draw.normal(3, 7, 2), draw.normal(3, 4, 2)))
def soft_dtw_loss(x: Tensor, y: Tensor) -> Tensor:
    return metrics.SoftDTWLossPyTorch(gamma=0.5)(x, y)
