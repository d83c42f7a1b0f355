"""monai: networks for medical images."""

import pytest
from torch import Tensor
from torch.nn.functional import silu

from tests.packages.published import Shelf

activation = pytest.importorskip("monai.networks.blocks.activation", reason="monai is missing")
FUNCTIONS = Shelf("monai")


@FUNCTIONS.holds(lambda draw: (draw.normal(2, 3, 5),), silu)
def swish(x: Tensor) -> Tensor:
    return activation.SwishImplementation.apply(x)
