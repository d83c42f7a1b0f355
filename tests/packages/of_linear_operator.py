"""linear_operator: solves, products and decompositions of structured matrices."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Shelf

lo = pytest.importorskip("linear_operator", reason="linear_operator is not installed")
FUNCTIONS = Shelf("linear_operator")


def definite(root: Tensor) -> Tensor:
    return root @ root.mT + torch.eye(root.shape[-2], dtype=root.dtype)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(5, 3), draw.normal(5, 2)),
    lambda root, rhs: torch.linalg.solve(definite(root), rhs),
)
def solve(root: Tensor, rhs: Tensor) -> Tensor:
    return lo.solve(definite(root), rhs)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(5, 3), draw.normal(5), draw.normal(4, 5)), dtype=torch.float64
)
def solve_from_both_sides(root: Tensor, rhs: Tensor, lhs: Tensor) -> Tensor:
    return lo.solve(definite(root), rhs[:, None], lhs)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(5, 3), draw.normal(5, 2)),
    lambda root, rhs: (rhs * torch.linalg.solve(definite(root), rhs)).sum(),
)
def inverse_quadratic_form(root: Tensor, rhs: Tensor) -> Tensor:
    return lo.inv_quad(definite(root), rhs)


def toeplitz(column: Tensor) -> Tensor:
    n = torch.arange(len(column))
    return column[(n[:, None] - n).abs()]


@FUNCTIONS.holds(
    lambda draw: (draw.normal(6), draw.normal(6, 2)), lambda column, rhs: toeplitz(column) @ rhs
)
def toeplitz_product(column: Tensor, rhs: Tensor) -> Tensor:
    return lo.operators.ToeplitzLinearOperator(column) @ rhs


@FUNCTIONS.holds(
    lambda draw: (draw.normal(3, 3), draw.normal(2, 2), draw.normal(6, 4)),
    lambda a, b, rhs: torch.kron(a, b) @ rhs,
    dtype=torch.float64,
)
def kronecker_product(a: Tensor, b: Tensor, rhs: Tensor) -> Tensor:
    return lo.operators.KroneckerProductLinearOperator(a, b) @ rhs


@FUNCTIONS.holds(
    lambda draw: (draw.normal(5, 5), draw.below(5, 7, 2), draw.normal(7, 2), draw.normal(7, 3))
)
def interpolated_product(base: Tensor, index: Tensor, weight: Tensor, rhs: Tensor) -> Tensor:
    operator = lo.operators.InterpolatedLinearOperator(base @ base.mT, index, weight, index, weight)
    return operator @ rhs


@FUNCTIONS.holds(
    lambda draw: (draw.below(5, 2, 8), draw.normal(8), draw.normal(5, 3)),
    wrt=("dense",),
    because="the sparse matrix is data",
)
def sparse_product(index: Tensor, values: Tensor, dense: Tensor) -> Tensor:
    return lo.dsmm(torch.sparse_coo_tensor(index, values, (5, 5)), dense)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(5, 3), draw.normal(5, 2)),
    dtype=torch.float64,
    tolerance=1e-3,
    because="contour integrals by conjugate gradients",
)
def inverse_root_product(root: Tensor, rhs: Tensor) -> Tensor:
    return lo.sqrt_inv_matmul(definite(root), rhs)


@FUNCTIONS.holds(lambda draw: (draw.normal(6, 4),), dtype=torch.float64)
def pivoted_cholesky(root: Tensor) -> Tensor:
    return lo.pivoted_cholesky(definite(root), 3)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(5, 3), draw.normal(5, 2)),
    lambda root, rhs: (rhs * torch.linalg.solve(definite(root), rhs)).sum(),
    dtype=torch.float64,
    tolerance=1e-2,
    because="conjugate gradients",
)
def inverse_quadratic_form_by_gradients(root: Tensor, rhs: Tensor) -> Tensor:
    with lo.settings.max_cholesky_size(1), lo.settings.cg_tolerance(1e-6):
        return lo.inv_quad_logdet(definite(root), rhs)[0]
