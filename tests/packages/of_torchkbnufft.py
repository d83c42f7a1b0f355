"""torchkbnufft: Fourier transforms at frequencies that are on no grid."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Draw, Shelf

torchkbnufft = pytest.importorskip("torchkbnufft", reason="torchkbnufft is not installed")
FUNCTIONS = Shelf("torchkbnufft")

SIZE = (8, 10)
forward = torchkbnufft.KbNufft(im_size=SIZE)
adjoint = torchkbnufft.KbNufftAdjoint(im_size=SIZE)
BECAUSE = "it interpolates; the frequencies have no gradient; the size of the image is fixed"


def complex_normal(draw: Draw, *shape: int) -> Tensor:
    return torch.complex(draw.normal(*shape), draw.normal(*shape))


def frequencies(draw: Draw) -> Tensor:
    return draw.between(-3.1, 3.1, 2, 13)


def phases(omega: Tensor) -> Tensor:
    rows, columns = (torch.arange(n, dtype=omega.dtype) - n // 2 for n in SIZE)
    angle = omega[0] * rows[:, None, None] + omega[1] * columns[:, None]
    return torch.polar(torch.ones_like(angle), -angle)


@FUNCTIONS.holds(
    lambda draw: (complex_normal(draw, 1, 3, *SIZE), frequencies(draw)),
    lambda image, omega: torch.einsum("ncxy,xyk->nck", image, phases(omega)),
    wrt=("image",),
    vary=("values", "layouts"),
    tolerance=5e-3,
    because=BECAUSE,
)
def samples_of_an_image(image: Tensor, omega: Tensor) -> Tensor:
    return forward(image, omega)


@FUNCTIONS.holds(
    lambda draw: (complex_normal(draw, 1, 3, 13), frequencies(draw)),
    wrt=("data",),
    vary=("values", "layouts"),
    tolerance=5e-3,
    because=BECAUSE,
)
def image_of_samples(data: Tensor, omega: Tensor) -> Tensor:
    return adjoint(data, omega)
