"""torchdiffeq: ordinary differential equations, by the adjoint method."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Shelf

torchdiffeq = pytest.importorskip("torchdiffeq", reason="torchdiffeq is not installed")
FUNCTIONS = Shelf("torchdiffeq")
TIMES = (0.0, 0.3, 1.0)


def ordinary(x: Tensor) -> Tensor:
    """Neither so small that the absolute error shows, nor so large that the equation is stiff."""
    return (x.norm() > 0.1) & (x.norm() < 10)


def exponentials(y0: Tensor, a: Tensor) -> Tensor:
    return torch.stack([y0 @ torch.matrix_exp(a * t) for t in TIMES])


@FUNCTIONS.holds(
    lambda draw: (draw.normal(2, 3), draw.normal(3, 3)),
    exponentials,
    dtype=torch.float64,
    domain={"y0": ordinary, "a": ordinary},
    tolerance=1e-4,
    because="both equations are solved to 1e-7",
)
def linear(y0: Tensor, a: Tensor) -> Tensor:
    times = torch.tensor(TIMES, dtype=y0.dtype)
    return torchdiffeq.odeint_adjoint(lambda _t, y: y @ a, y0, times, adjoint_params=(a,))


@FUNCTIONS.holds(
    lambda draw: (draw.normal(2, 3), draw.normal(3, 4), draw.normal(4, 3)),
    domain={"y0": ordinary, "inner": ordinary, "outer": ordinary},
    tolerance=1e-2,
    because="the adjoint equation has its own steps",
)
def neural(y0: Tensor, inner: Tensor, outer: Tensor) -> Tensor:
    times = torch.tensor(TIMES, dtype=y0.dtype)
    return torchdiffeq.odeint_adjoint(
        lambda _t, y: torch.tanh(y @ inner) @ outer,
        y0,
        times,
        method="rk4",
        options={"step_size": 0.05},
        adjoint_params=(inner, outer),
    )


def landing(height: Tensor, speed: Tensor) -> Tensor:
    return (speed + torch.sqrt(speed * speed + 20 * height)) / 10


@FUNCTIONS.holds(
    lambda draw: (draw.between(1, 2, 1), draw.between(0, 1, 1)),
    landing,
    dtype=torch.float64,
    domain=lambda height, speed: (height > 0.5) & (height < 5) & (speed.abs() < 3),
    tolerance=1e-4,
    because="a ball that is thrown up from above the ground, solved to 1e-7",
)
def time_of_landing(height: Tensor, speed: Tensor) -> Tensor:
    state = torch.cat((height, speed))
    time, _ = torchdiffeq.odeint_event(
        lambda _t, y: torch.stack((y[1], torch.full_like(y[1], -10))),
        state,
        torch.zeros((), dtype=state.dtype),
        event_fn=lambda _t, y: y[0],
        atol=1e-9,
        rtol=1e-7,
    )
    return time[None]
