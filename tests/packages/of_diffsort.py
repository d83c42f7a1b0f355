"""diffsort: sorting networks."""

import pytest
from torch import Tensor
from torch.special import ndtr

from tests.packages.published import Shelf

diffsort = pytest.importorskip("diffsort", reason="diffsort is not installed")
functional = pytest.importorskip("diffsort.functional")
FUNCTIONS = Shelf("diffsort")


@FUNCTIONS.holds(lambda draw: (draw.normal(3, 4),))
def sort(x: Tensor) -> tuple[Tensor, Tensor]:
    network = diffsort.DiffSortNet("bitonic", 4, steepness=2, distribution="gaussian")
    return network(x)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(3, 4),),
    lambda x: ndtr(x / 0.1),
    tolerance=1e-6,
    because="its width is rounded to float32, and in float64 that shows in the exponent",
)
def normal_cdf(x: Tensor) -> Tensor:
    return functional.NormalCDF.apply(x, 0.1)
