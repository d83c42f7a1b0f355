"""roma: rotations, and the nearest one of a matrix."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Shelf

roma = pytest.importorskip("roma", reason="roma is not installed")
FUNCTIONS = Shelf("roma")
DAMPED = "the gradient is damped, by 1e-5, which shows where singular values are small"


def conditioned(m: Tensor) -> Tensor:
    return torch.linalg.svdvals(m).min() > 0.02


def apart(x: Tensor) -> Tensor:
    row, column = torch.triu_indices(4, 4)
    matrix = torch.zeros(*x.shape[:-1], 4, 4, dtype=x.dtype)
    matrix[..., row, column] = x
    values = torch.linalg.eigvalsh(matrix, "U")
    return (values[..., 1] - values[..., 0]).min() > 0.02


def nearest(m: Tensor) -> Tensor:
    u, _, v = torch.linalg.svd(m)
    return u @ v


@FUNCTIONS.holds(
    lambda draw: (draw.normal(2, 4, 4),),
    nearest,
    tolerance=1e-4,
    because=DAMPED,
    domain={"m": conditioned},
)
def procrustes(m: Tensor) -> Tensor:
    return roma.procrustes(m)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(3, 4, 4),),
    dtype=torch.float64,
    tolerance=1e-4,
    because=DAMPED,
    domain={"m": conditioned},
)
def procrustes_with_singular_values(m: Tensor) -> tuple[Tensor, Tensor]:
    return roma.procrustes(m, force_rotation=True, return_singular_values=True)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(5, 3, 3),), tolerance=1e-4, because=DAMPED, domain={"m": conditioned}
)
def special_procrustes(m: Tensor) -> Tensor:
    return roma.special_procrustes(m)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(5, 10),),
    dtype=torch.float64,
    tolerance=1e-4,
    because=DAMPED,
    domain={"x": apart},
)
def rotation_of_ten_numbers(x: Tensor) -> Tensor:
    return roma.unitquat_to_rotmat(roma.symmatrixvec_to_unitquat(x))
