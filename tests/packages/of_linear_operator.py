"""linear_operator: solves and determinants of covariance matrices."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Shelf

linear_operator = pytest.importorskip("linear_operator", reason="linear_operator is not installed")
FUNCTIONS = Shelf("linear_operator")


def covariance(root: Tensor) -> Tensor:
    return root @ root.mT + torch.eye(root.shape[-2], dtype=root.dtype)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(6, 4), draw.normal(6, 3)),
    lambda root, b: torch.linalg.solve(covariance(root), b),
    dtype=torch.float64,
)
def solve(root: Tensor, b: Tensor) -> Tensor:
    return linear_operator.solve(covariance(root), b)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(5, 7), draw.normal(5, 2)),
    lambda root, b: (
        (b * torch.linalg.solve(covariance(root), b)).sum(),
        torch.logdet(covariance(root)),
    ),
    dtype=torch.float64,
)
def inv_quad_logdet(root: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    return linear_operator.inv_quad_logdet(covariance(root), b, logdet=True)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(5, 4), draw.normal(5, 3)),
    dtype=torch.float64,
    tolerance=1e-3,
    because="the root is a quadrature of a contour, over solves that are not exact",
)
def sqrt_inv_matmul(root: Tensor, b: Tensor) -> Tensor:
    return linear_operator.sqrt_inv_matmul(covariance(root), b)
