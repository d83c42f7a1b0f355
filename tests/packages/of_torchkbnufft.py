"""torchkbnufft: Fourier transforms at points off the grid."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Draw, Shelf

tkbn = pytest.importorskip("torchkbnufft", reason="torchkbnufft is not installed")
FUNCTIONS = Shelf("torchkbnufft")
TABLES = "the points look up tables, and have no gradient"


def spectrum(draw: Draw, *shape: int) -> Tensor:
    return torch.complex(draw.normal(*shape), draw.normal(*shape))


def points(draw: Draw) -> Tensor:
    return draw.between(-3, 3, 2, 9)


@FUNCTIONS.holds(
    lambda draw: (spectrum(draw, 1, 2, 6, 8), points(draw)), wrt=("image",), because=TABLES
)
def interpolate(image: Tensor, omega: Tensor) -> Tensor:
    layer = tkbn.KbInterp((3, 4), (6, 8), numpoints=4, dtype=omega.dtype)
    return layer(image, omega)


@FUNCTIONS.holds(
    lambda draw: (spectrum(draw, 1, 2, 9), points(draw)), wrt=("data",), because=TABLES
)
def spread(data: Tensor, omega: Tensor) -> Tensor:
    layer = tkbn.KbInterpAdjoint((3, 4), (6, 8), numpoints=4, dtype=omega.dtype)
    return layer(data, omega)


@FUNCTIONS.holds(
    lambda draw: (spectrum(draw, 1, 2, 6, 8), points(draw)),
    dtype=torch.float64,
    wrt=("image",),
    because=TABLES,
)
def interpolate_by_a_sparse_matrix(image: Tensor, omega: Tensor) -> Tensor:
    matrices = tkbn.calc_tensor_spmatrix(omega, (3, 4), (6, 8), numpoints=4)
    layer = tkbn.KbInterp((3, 4), (6, 8), numpoints=4, dtype=omega.dtype)
    return layer(image, omega, matrices)


def slow_transform(image: Tensor, omega: Tensor) -> Tensor:
    n, m = (torch.arange(k, dtype=omega.dtype) - k // 2 for k in image.shape[2:])
    phase = omega[0, :, None, None] * n[:, None] + omega[1, :, None, None] * m
    return torch.einsum("bcnm,knm->bck", image, torch.polar(torch.ones_like(phase), -phase))


@FUNCTIONS.holds(
    lambda draw: (spectrum(draw, 1, 2, 6, 8), points(draw)),
    slow_transform,
    wrt=("image",),
    vary=("values", "layouts"),
    tolerance=1e-2,
    because="an approximation by tables, made for one size",
)
def transform(image: Tensor, omega: Tensor) -> Tensor:
    return tkbn.KbNufft((6, 8), numpoints=6, dtype=omega.dtype)(image, omega)
