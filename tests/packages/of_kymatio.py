"""kymatio: scattering transforms."""

import pytest
from torch import Tensor

from tests.packages.published import Shelf

backend = pytest.importorskip("kymatio.backend.torch_backend", reason="kymatio is not installed")
frontend = pytest.importorskip("kymatio.scattering1d.frontend.torch_frontend")
FUNCTIONS = Shelf("kymatio")


@FUNCTIONS.holds(
    lambda draw: (draw.normal(3, 5, 2),),
    lambda x: x.norm(dim=-1),
    domain={"x": lambda x: x.shape[-1] == 2},
    because="the last dimension is real and imaginary part",
)
def modulus(x: Tensor) -> Tensor:
    return backend.ModulusStable.apply(x)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(2, 48),),
    vary=("values", "layouts"),
    because="the filters are made for signals of this length",
)
def scattering(x: Tensor) -> Tensor:
    return frontend.ScatteringTorch1D(J=3, shape=48, Q=2)(x)
