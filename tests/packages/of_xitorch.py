"""xitorch: solutions of equations, with gradients by the implicit function."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Shelf

linalg = pytest.importorskip("xitorch.linalg", reason="xitorch is not installed")
optimize = pytest.importorskip("xitorch.optimize")
xitorch = pytest.importorskip("xitorch")
FUNCTIONS = Shelf("xitorch")


def root_of_a_cubic(p: Tensor) -> Tensor:
    return 2 / 3**0.5 * torch.sinh(torch.asinh(3 * 3**0.5 / 2 * p) / 3)


@FUNCTIONS.holds(
    lambda draw: (draw.between(0.5, 3, 7),),
    root_of_a_cubic,
    domain={"p": lambda p: (p > 0.1) & (p < 5)},
    tolerance=1e-4,
    dtype=torch.float64,
    because="the root is found by iterations, which end elsewhere from 6 onwards",
)
def rootfinder(p: Tensor) -> Tensor:
    return optimize.rootfinder(
        lambda y, p: y**3 + y - p, torch.zeros_like(p), params=(p,), method="broyden1"
    )


@FUNCTIONS.holds(
    lambda draw: (torch.eye(7, dtype=draw.dtype) + 0.1 * draw.normal(7, 7), draw.normal(7, 2)),
    torch.linalg.solve,
    domain=lambda a, b: torch.linalg.cond(a) < 20 and b.abs().max() > 0.1,
    tolerance=1e-4,
    dtype=torch.float64,
    because="the system is solved by iterations, to an error that is absolute",
)
def solve(a: Tensor, b: Tensor) -> Tensor:
    return linalg.solve(xitorch.LinearOperator.m(a, is_hermitian=False), b, method="bicgstab")
