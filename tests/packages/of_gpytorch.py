"""gpytorch: covariances of Gaussian processes, with gradients for the lengthscale alone."""

import math

import pytest
import torch
from torch import Tensor

from tests.packages.published import Draw, Shelf

functions = pytest.importorskip("gpytorch.functions", reason="gpytorch is not installed")
kernels = pytest.importorskip("gpytorch.kernels")
FUNCTIONS = Shelf("gpytorch")


def points(draw: Draw) -> tuple[Tensor, Tensor, Tensor]:
    return draw.normal(5, 3), draw.normal(7, 3), draw.between(0.5, 2, 1, 1)


def positive(lengthscale: Tensor) -> Tensor:
    return lengthscale > 0.2


def scaled(x1: Tensor, x2: Tensor, lengthscale: Tensor, nu: float) -> Tensor:
    return math.sqrt(2 * nu) * torch.cdist(x1, x2) / lengthscale


@FUNCTIONS.holds(
    points,
    lambda x1, x2, lengthscale: (-0.5 * (torch.cdist(x1, x2) / lengthscale) ** 2).exp(),
    wrt=("lengthscale",),
    domain={"lengthscale": positive},
    because="the kernel leaves this Function for inputs that require a gradient",
)
def rbf(x1: Tensor, x2: Tensor, lengthscale: Tensor) -> Tensor:
    kernel = kernels.RBFKernel()
    return functions.RBFCovariance.apply(
        x1, x2, lengthscale, lambda a, b: kernel.covar_dist(a, b, square_dist=True)
    )


@FUNCTIONS.holds(
    points,
    lambda x1, x2, lengthscale: (-scaled(x1, x2, lengthscale, 0.5)).exp(),
    wrt=("lengthscale",),
    domain={"lengthscale": positive},
    because="the kernel leaves this Function for inputs that require a gradient",
)
def matern_half(x1: Tensor, x2: Tensor, lengthscale: Tensor) -> Tensor:
    distance = kernels.MaternKernel(nu=0.5).covar_dist
    return functions.MaternCovariance.apply(x1, x2, lengthscale, 0.5, distance)


@FUNCTIONS.holds(
    points,
    wrt=("lengthscale",),
    domain={"lengthscale": positive},
    because="the kernel leaves this Function for inputs that require a gradient",
)
def matern_three_halves(x1: Tensor, x2: Tensor, lengthscale: Tensor) -> Tensor:
    distance = kernels.MaternKernel(nu=1.5).covar_dist
    return functions.MaternCovariance.apply(x1, x2, lengthscale, 1.5, distance)


@FUNCTIONS.holds(
    points,
    lambda x1, x2, lengthscale: (
        (1 + (d := scaled(x1, x2, lengthscale, 2.5)) + d * d / 3) * (-d).exp()
    ),
    wrt=("lengthscale",),
    domain={"lengthscale": positive},
    because="the kernel leaves this Function for inputs that require a gradient",
)
def matern_five_halves(x1: Tensor, x2: Tensor, lengthscale: Tensor) -> Tensor:
    distance = kernels.MaternKernel(nu=2.5).covar_dist
    return functions.MaternCovariance.apply(x1, x2, lengthscale, 2.5, distance)


@FUNCTIONS.holds(
    lambda draw: (2 * draw.normal(6, 5),),
    torch.special.log_ndtr,
    tolerance=1e-2,
    because="it is a fraction of polynomials from -1 to the left, off by 1e-3 close to it",
)
def log_normal_cdf(z: Tensor) -> Tensor:
    return functions.log_normal_cdf(z)
