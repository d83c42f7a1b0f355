"""pyro: probabilistic programs."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Shelf

pytest.importorskip("pyro", reason="pyro is not installed")

from pyro.contrib.oed.eig import EwmaLog
from pyro.distributions import AVFMultivariateNormal, OMTMultivariateNormal
from pyro.distributions.relaxed_straight_through import QuantizeBernoulli, QuantizeCategorical
from pyro.ops.special import safe_log

FUNCTIONS = Shelf("pyro")
SOFT = "straight through"


@FUNCTIONS.holds(
    lambda draw: (draw.between(0.1, 4, 4, 7),),
    torch.log,
    domain={"x": lambda x: x > 1e-6},
    because="the slope is clamped below epsilon",
)
def log(x: Tensor) -> Tensor:
    return safe_log(x)


@FUNCTIONS.holds(
    lambda draw: (draw.between(0.1, 4, 5, 3),),
    torch.log,
    domain={"x": lambda x: x > 0},
    because="a logarithm",
)
def log_of_moving_average(x: Tensor) -> Tensor:
    return EwmaLog(0.9)(x, torch.zeros((), dtype=x.dtype))


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4), draw.positive_definite(4)),
    wrt=("mean",),
    because="the gradient of the root is right on average only",
)
def sample_by_optimal_transport(mean: Tensor, covariance: Tensor) -> Tensor:
    return OMTMultivariateNormal(mean, torch.linalg.cholesky(covariance)).rsample((6,))


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4), draw.positive_definite(4), draw.normal(2, 3, 4)),
    wrt=("mean",),
    dtype=torch.float64,
    because="the gradient of the root is right on average only",
)
def sample_with_control_variate(mean: Tensor, covariance: Tensor, control: Tensor) -> Tensor:
    root = torch.linalg.cholesky(covariance)
    return AVFMultivariateNormal(mean, root, control).rsample((6,))


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 5).softmax(-1),), surrogate=lambda soft: soft, because=SOFT
)
def hard_category(soft: Tensor) -> Tensor:
    return QuantizeCategorical.apply(soft)


@FUNCTIONS.holds(
    lambda draw: (draw.between(0, 1, 4, 7),),
    torch.round,
    surrogate=lambda soft: soft,
    because=SOFT,
)
def hard_bit(soft: Tensor) -> Tensor:
    return QuantizeBernoulli.apply(soft)
