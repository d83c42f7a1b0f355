"""pyro: probabilistic programming."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Shelf

special = pytest.importorskip("pyro.ops.special", reason="pyro-ppl is not installed")
FUNCTIONS = Shelf("pyro")


@FUNCTIONS.holds(
    lambda draw: (draw.between(0.1, 2, 4, 7),),
    torch.log,
    domain={"x": lambda x: x > 1e-5},
    because="the gradient is clamped close to 0",
)
def safe_log(x: Tensor) -> Tensor:
    return special.safe_log(x)
