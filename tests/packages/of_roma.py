"""roma: rotations."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Draw, Shelf

roma = pytest.importorskip("roma", reason="roma is not installed")
FUNCTIONS = Shelf("roma")
DAMPED = "its gradient is damped by gradient_eps=1e-5, and no nearest rotation may be ambiguous"


def near_identity(draw: Draw, batch: int, n: int) -> tuple[Tensor]:
    return (torch.eye(n, dtype=draw.dtype) + 0.4 * draw.normal(batch, n, n),)


def nearest_rotation_is_unique(m: Tensor) -> bool:
    values = torch.linalg.svdvals(m)
    gap = values[..., -2:-1].sum(-1) + torch.linalg.det(m).sign() * values[..., -1]
    return bool((gap > 0.05).all())


def is_regular(m: Tensor) -> bool:
    return bool((torch.linalg.svdvals(m)[..., -1] > 0.02).all())


@FUNCTIONS.holds(
    lambda draw: near_identity(draw, 5, 3),
    lambda m: roma.special_procrustes_naive(m),
    domain={"m": nearest_rotation_is_unique},
    tolerance=1e-4,
    because=DAMPED,
)
def special_procrustes(m: Tensor) -> Tensor:
    return roma.special_procrustes(m)


@FUNCTIONS.holds(
    lambda draw: near_identity(draw, 2, 4),
    lambda m: roma.procrustes_naive(m, return_singular_values=True),
    domain={"m": is_regular},
    tolerance=1e-4,
    because=DAMPED,
)
def procrustes(m: Tensor) -> tuple[Tensor, Tensor]:
    return roma.procrustes(m, return_singular_values=True)


@FUNCTIONS.holds(
    lambda draw: near_identity(draw, 4, 3),
    domain={"m": nearest_rotation_is_unique},
    tolerance=1e-4,
    because=DAMPED,
)
def rotation_by_quaternion(m: Tensor) -> Tensor:
    return roma.unitquat_to_rotmat(roma.special_procrustes_unitquat(m))
