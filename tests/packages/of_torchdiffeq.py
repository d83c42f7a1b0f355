"""torchdiffeq: differential equations, and their gradients by the adjoint equation."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Shelf

torchdiffeq = pytest.importorskip("torchdiffeq", reason="torchdiffeq is not installed")
FUNCTIONS = Shelf("torchdiffeq")


def decay(y: Tensor, w: Tensor) -> Tensor:
    times = torch.linspace(0, 1, 4, dtype=y.dtype)[:, None, None]
    return (torch.linalg.matrix_exp(times * w.mT) @ y.mT).mT


@FUNCTIONS.holds(
    lambda draw: (draw.normal(5, 3), 0.5 * draw.normal(3, 3)),
    decay,
    domain={"y": lambda y: 0.1 < y.abs().max() < 100, "w": lambda w: w.abs() < 3},
    tolerance=1e-3,
    because="it is solved to 1e-7 at best, forward and backward, and stiff ones take forever",
)
def linear_equation(y: Tensor, w: Tensor) -> Tensor:
    return torchdiffeq.odeint_adjoint(
        lambda _t, y: y @ w,
        y,
        torch.linspace(0, 1, 4, dtype=y.dtype),
        rtol=1e-6,
        atol=1e-7,
        adjoint_params=(w,),
    )


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 3), draw.normal(3, 3)),
    domain={"y": lambda y: 0.1 < y.abs().max() < 100, "w": lambda w: w.abs() < 5},
    tolerance=1e-3,
    because="it is solved to 1e-7 at best, forward and backward, and stiff ones take forever",
)
def nonlinear_equation(y: Tensor, w: Tensor) -> Tensor:
    return torchdiffeq.odeint_adjoint(
        lambda _t, y: torch.tanh(y @ w) - y,
        y,
        torch.tensor([0.0, 0.7], dtype=y.dtype),
        rtol=1e-6,
        atol=1e-7,
        adjoint_params=(w,),
    )[-1]
