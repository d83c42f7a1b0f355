"""torchsde: stochastic differential equations, by the adjoint method."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Shelf

torchsde = pytest.importorskip("torchsde", reason="torchsde is not installed")
FUNCTIONS = Shelf("torchsde")


class Pull:
    """Of a Stratonovich equation with a noise of its own in each dimension."""

    noise_type = "diagonal"
    sde_type = "stratonovich"

    def __init__(self, rate: Tensor, noise: Tensor) -> None:
        self.rate, self.noise = rate, noise

    def f(self, _t: Tensor, y: Tensor) -> Tensor:
        return torch.sin(y @ self.rate)

    def g(self, _t: Tensor, y: Tensor) -> Tensor:
        return self.noise * torch.cos(y)


def solved(how: str, y0: Tensor, rate: Tensor, noise: Tensor, **options: object) -> Tensor:
    times = torch.tensor((0.0, 0.25, 0.5), dtype=y0.dtype)
    motion = torchsde.BrownianInterval(
        0.0, 0.5, size=tuple(y0.shape), dtype=y0.dtype, entropy=3, levy_area_approximation="none"
    )
    return getattr(torchsde, how)(
        Pull(rate, noise), y0, times, bm=motion, dt=1 / 16, method="reversible_heun", **options
    )


def recorded(y0: Tensor, rate: Tensor, noise: Tensor) -> Tensor:
    return solved("sdeint", y0, rate, noise)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(2, 3), draw.normal(3, 3), draw.normal(3)),
    recorded,
    dtype=torch.float64,
)
def reversible(y0: Tensor, rate: Tensor, noise: Tensor) -> Tensor:
    return solved(
        "sdeint_adjoint",
        y0,
        rate,
        noise,
        adjoint_method="adjoint_reversible_heun",
        adjoint_params=(rate, noise),
    )
