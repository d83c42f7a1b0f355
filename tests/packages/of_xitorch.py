"""xitorch: implicit functions."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Shelf

pytest.importorskip("xitorch", reason="xitorch is not installed")

from xitorch import LinearOperator
from xitorch.integrate import quad, solve_ivp
from xitorch.linalg import lsymeig, solve
from xitorch.optimize import equilibrium, minimize, rootfinder

FUNCTIONS = Shelf("xitorch")


def definite(root: Tensor) -> Tensor:
    return root @ root.mT + torch.eye(root.shape[-2], dtype=root.dtype)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 3), draw.normal(4, 2)),
    lambda root, rhs: torch.linalg.solve(definite(root), rhs),
    dtype=torch.float64,
)
def exact_solve(root: Tensor, rhs: Tensor) -> Tensor:
    operator = LinearOperator.m(definite(root), is_hermitian=True)
    return solve(operator, rhs, method="custom_exactsolve")


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 3), draw.normal(4, 2)),
    dtype=torch.float64,
    tolerance=1e-4,
    because="conjugate gradients",
)
def iterative_solve(root: Tensor, rhs: Tensor) -> Tensor:
    operator = LinearOperator.m(definite(root), is_hermitian=True)
    options = {"rtol": 1e-9, "atol": 1e-9}
    return solve(operator, rhs, method="cg", bck_options={"method": "cg", **options}, **options)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(5, 5),),
    lambda root: torch.linalg.eigvalsh(root + root.mT)[:2],
    dtype=torch.float64,
)
def lowest_eigenvalues(root: Tensor) -> Tensor:
    operator = LinearOperator.m(root + root.mT, is_hermitian=True)
    return lsymeig(operator, 2)[0]


def projection(root: Tensor) -> Tensor:
    vectors = torch.linalg.eigh(root + root.mT).eigenvectors[:, :2]
    return vectors @ vectors.mT


@FUNCTIONS.holds(lambda draw: (draw.normal(5, 5),), projection, dtype=torch.float64)
def lowest_eigenspace(root: Tensor) -> Tensor:
    operator = LinearOperator.m(root + root.mT, is_hermitian=True)
    vectors = lsymeig(operator, 2)[1]
    return vectors @ vectors.mT


def ordinary(x: Tensor) -> Tensor:
    """Not so small that the absolute error of a solver shows."""
    return (x.norm() > 0.3) & (x.norm() < 10)


def cell(y: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return torch.tanh(0.5 * y @ weight / weight.norm() + bias)


as_a_solver = FUNCTIONS.holds(
    lambda draw: (draw.normal(3, 3), draw.normal(2, 3)),
    dtype=torch.float64,
    domain={"weight": ordinary, "bias": ordinary},
    tolerance=1e-3,
    because="a solver of equations, backwards too",
)


@as_a_solver
def fixed_point(weight: Tensor, bias: Tensor) -> Tensor:
    start = torch.zeros_like(bias)
    return equilibrium(cell, start, (weight, bias), f_tol=1e-9)


@as_a_solver
def root(weight: Tensor, bias: Tensor) -> Tensor:
    def off(y: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return y - cell(y, weight, bias)

    return rootfinder(off, torch.zeros_like(bias), (weight, bias), f_tol=1e-9)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 3), draw.normal(4)),
    lambda matrix, goal: torch.linalg.solve(definite(matrix), goal),
    dtype=torch.float64,
    domain={"matrix": ordinary, "goal": ordinary},
    tolerance=1e-4,
    because="a minimizer",
)
def least(matrix: Tensor, goal: Tensor) -> Tensor:
    def cost(y: Tensor, matrix: Tensor, goal: Tensor) -> Tensor:
        return y @ definite(matrix) @ y / 2 - goal @ y

    return minimize(cost, torch.zeros_like(goal), (matrix, goal), f_tol=1e-9)


@FUNCTIONS.holds(
    lambda draw: (draw.between(0.5, 2, 3), draw.between(0, 0.5), draw.between(1, 1.5)),
    lambda rate, low, high: (torch.sin(rate * high) - torch.sin(rate * low)) / rate,
    dtype=torch.float64,
    domain={"rate": lambda rate: (rate.abs() > 0.1) & (rate.abs() < 3)},
    tolerance=1e-6,
    right=False,
    because="without a gradient of all that are tensors backward raises",
)
def integral(rate: Tensor, low: Tensor, high: Tensor) -> Tensor:
    return quad(lambda x, rate: torch.cos(rate * x), low, high, (rate,), n=30)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(3), draw.normal(3, 3)),
    lambda y0, rate: torch.stack([torch.matrix_exp(rate * t) @ y0 for t in (0.0, 0.4, 1.0)]),
    dtype=torch.float64,
    tolerance=1e-3,
    because="both equations are solved to 1e-8",
)
def initial_value_problem(y0: Tensor, rate: Tensor) -> Tensor:
    times = torch.tensor((0.0, 0.4, 1.0), dtype=y0.dtype)
    tolerances = {"rtol": 1e-8, "atol": 1e-8}
    return solve_ivp(lambda _t, y, rate: rate @ y, times, y0, (rate,), method="rk45", **tolerances)
