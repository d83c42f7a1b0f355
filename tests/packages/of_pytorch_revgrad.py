"""pytorch_revgrad: gradient reversal for domain adaptation."""

import pytest
from torch import Tensor

from tests.packages.published import Shelf

revgrad = pytest.importorskip("pytorch_revgrad", reason="pytorch-revgrad is not installed")
FUNCTIONS = Shelf("pytorch_revgrad")


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 7),),
    lambda x: x.clone(),
    surrogate=lambda x: -0.7 * x,
    because="the gradient is reversed",
)
def reversal(x: Tensor) -> Tensor:
    return revgrad.RevGrad(alpha=0.7)(x)
