"""gpytorch: covariances and variational inference of Gaussian processes."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Shelf

pytest.importorskip("gpytorch", reason="gpytorch is not installed")

from gpytorch.functions import MaternCovariance, RBFCovariance, log_normal_cdf
from gpytorch.kernels import Kernel
from gpytorch.variational.ciq_variational_strategy import _NgdInterpTerms
from gpytorch.variational.large_batch_variational_strategy import QuadFormDiagonal
from gpytorch.variational.natural_variational_distribution import _NaturalToMuVarSqrt
from gpytorch.variational.variational_strategy import ComputePredictiveUpdates

FUNCTIONS = Shelf("gpytorch")
POINTS = "these covariances are for points without a gradient"


def distance(x: Tensor, y: Tensor) -> Tensor:
    return Kernel().covar_dist(x, y)


def squared_distance(x: Tensor, y: Tensor) -> Tensor:
    return Kernel().covar_dist(x, y, square_dist=True)


def gaussian(x: Tensor, y: Tensor, lengthscale: Tensor) -> Tensor:
    return torch.exp(-(x[:, None] - y).square().sum(-1) / (2 * lengthscale**2))


@FUNCTIONS.holds(
    lambda draw: (draw.normal(5, 2), draw.normal(4, 2), draw.between(0.5, 2, 1, 1)),
    gaussian,
    wrt=("lengthscale",),
    domain={"lengthscale": lambda lengthscale: lengthscale > 1e-3},
    because=POINTS,
)
def rbf(x: Tensor, y: Tensor, lengthscale: Tensor) -> Tensor:
    return RBFCovariance.apply(x, y, lengthscale, squared_distance)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(5, 2), draw.normal(4, 2), draw.between(0.5, 2, 1, 1)),
    lambda x, y, lengthscale: torch.exp(-(x[:, None] - y).norm(dim=-1) / lengthscale),
    wrt=("lengthscale",),
    domain={"lengthscale": lambda lengthscale: lengthscale > 1e-3},
    because=POINTS,
)
def matern_of_one_half(x: Tensor, y: Tensor, lengthscale: Tensor) -> Tensor:
    return MaternCovariance.apply(x, y, lengthscale, 0.5, distance)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(5, 2), draw.normal(4, 2), draw.between(0.5, 2, 1, 1)),
    dtype=torch.float64,
    wrt=("lengthscale",),
    domain={"lengthscale": lambda lengthscale: lengthscale > 1e-3},
    because=POINTS,
)
def matern_of_five_halves(x: Tensor, y: Tensor, lengthscale: Tensor) -> Tensor:
    return MaternCovariance.apply(x, y, lengthscale, 2.5, distance)


@FUNCTIONS.holds(
    lambda draw: (2 * draw.normal(4, 7),),
    torch.special.log_ndtr,
    tolerance=1e-2,
    because="a rational function below minus one",
)
def log_of_normal_cdf(z: Tensor) -> Tensor:
    return log_normal_cdf(z)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 4), draw.normal(4, 7)),
    lambda root, rhs: (root.mT @ rhs).square().sum(0),
)
def quadratic_form(root: Tensor, rhs: Tensor) -> Tensor:
    return QuadFormDiagonal.apply(root @ root.mT, rhs)


def triangular(raw: Tensor) -> Tensor:
    return raw.tril(-1) + torch.eye(len(raw), dtype=raw.dtype) * (1 + raw.diagonal().square())


def updates(raw: Tensor, cross: Tensor, root: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    interpolation = torch.linalg.solve(triangular(raw), cross)
    middle = root @ root.mT - torch.eye(len(root), dtype=root.dtype)
    return interpolation.mT @ values, (interpolation * (middle @ interpolation)).sum(0)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 4), draw.normal(4, 6), draw.normal(4, 4), draw.normal(4)), updates
)
def predictive_updates(
    raw: Tensor, cross: Tensor, root: Tensor, values: Tensor
) -> tuple[Tensor, Tensor]:
    middle = root @ root.mT - torch.eye(len(root), dtype=root.dtype)
    return ComputePredictiveUpdates.apply(triangular(raw), cross, middle, values)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 6), draw.normal(4), -draw.positive_definite(4)),
    dtype=torch.float64,
    wrt=("interpolation",),
    vary=False,
    tolerance=1e-3,
    because="the other two gradients are natural ones; conjugate gradients want a definite matrix",
)
def interpolation_terms(
    interpolation: Tensor, natural: Tensor, precision: Tensor
) -> tuple[Tensor, Tensor]:
    return _NgdInterpTerms.apply(interpolation, natural, precision)[:2]


def with_natural_gradient(natural: Tensor, precision: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and root of the covariance, as functions of the expectations of y and y yᵀ."""
    covariance = torch.linalg.inv(-2 * precision.detach())
    mean = covariance @ natural.detach()
    mean_moved = mean + natural - natural.detach()
    second = covariance + torch.outer(mean, mean) + precision - precision.detach()
    covariance = second - torch.outer(mean_moved, mean_moved)
    return mean_moved, torch.linalg.cholesky(covariance)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4), -draw.positive_definite(4)),
    surrogate=with_natural_gradient,
    dtype=torch.float64,
    vary=False,
    because="it is the natural gradient; only definite matrices have a root",
)
def natural_to_root(natural: Tensor, precision: Tensor) -> tuple[Tensor, Tensor]:
    return _NaturalToMuVarSqrt.apply(natural, precision)
