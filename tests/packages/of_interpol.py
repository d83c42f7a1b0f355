"""torch-interpol: splines of images."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Draw, Shelf

interpol = pytest.importorskip("interpol", reason="torch-interpol is not installed")
FUNCTIONS = Shelf("interpol")


def places(draw: Draw) -> Tensor:
    return draw.between(0.2, 3.8, 3, 4, 2)


@FUNCTIONS.holds(lambda draw: (draw.normal(2, 5, 6), places(draw)))
def pull_cubic(image: Tensor, grid: Tensor) -> Tensor:
    return interpol.grid_pull(image, grid, interpolation=3, bound="dct2", extrapolate=True)


def bilinear(image: Tensor, grid: Tensor) -> Tensor:
    size = torch.tensor((image.shape[-1], image.shape[-2]), dtype=grid.dtype)
    unit = 2 * grid.flip(-1) / (size - 1) - 1
    options = {"padding_mode": "border", "align_corners": True}
    return torch.nn.functional.grid_sample(image[None], unit[None], **options)[0]


@FUNCTIONS.holds(
    lambda draw: (draw.normal(2, 5, 6), places(draw)),
    bilinear,
    vary=("values", "layouts"),
    because="at size 1 the reference divides by 0, and torch's backward indexes with the NaN",
)
def pull_linear(image: Tensor, grid: Tensor) -> Tensor:
    return interpol.grid_pull(image, grid, bound="replicate", extrapolate=True)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(2, 3, 4), places(draw)),
    dtype=torch.float64,
    domain={"grid": lambda grid: grid.shape[-1] == 2},
    because="it makes images of two dimensions",
)
def push(image: Tensor, grid: Tensor) -> Tensor:
    return interpol.grid_push(image, grid, (5, 6), interpolation=2, bound="dft", extrapolate=True)


@FUNCTIONS.holds(
    lambda draw: (places(draw),),
    domain={"grid": lambda grid: grid.shape[-1] == 2},
    because="it makes images of two dimensions",
)
def count(grid: Tensor) -> Tensor:
    return interpol.grid_count(grid, (5, 6), interpolation=3, bound="dct2", extrapolate=True)


@FUNCTIONS.holds(lambda draw: (draw.normal(2, 5, 6), places(draw)), dtype=torch.float64)
def gradient(image: Tensor, grid: Tensor) -> Tensor:
    return interpol.grid_grad(image, grid, interpolation=3, bound="dct2", extrapolate=True)


@FUNCTIONS.holds(lambda draw: (draw.normal(2, 5, 6),))
def coefficients(image: Tensor) -> Tensor:
    return interpol.spline_coeff_nd(image, interpolation=3, bound="dct2", dim=2)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 7),),
    dtype=torch.float64,
    right=False,
    because="backward returns a list where torch wants a tuple, and raises",
)
def coefficients_of_one_dimension(image: Tensor) -> Tensor:
    return interpol.spline_coeff(image, interpolation=3, bound="dft", dim=-1)
