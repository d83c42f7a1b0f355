"""norse: spikes with surrogate gradients."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Shelf

functional = pytest.importorskip(
    "norse.torch.functional.threshold", reason="norse is not installed"
)
FUNCTIONS = Shelf("norse")
SPIKE = "the gradient of a spike is that of its surrogate"


def step(x: Tensor) -> Tensor:
    return (x > 0).to(x.dtype)


def half_tents(x: Tensor) -> Tensor:
    c = x.clamp(-1, 1)
    return 2 * (c - c * c.abs() / 2)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 7),),
    step,
    surrogate=lambda x: x / (1 + 100 * x.abs()),
    because=SPIKE,
)
def superspike(x: Tensor) -> Tensor:
    return functional.threshold(x, "super", 100.0)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 5), torch.tensor(2.0, dtype=draw.dtype)),
    lambda x, _k: step(x),
    surrogate=lambda x, k: torch.tanh(k * x) / k,
    wrt=("x",),
    because=SPIKE,
)
def tanh(x: Tensor, k: Tensor) -> Tensor:
    return functional.threshold(x, "tanh", k)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(3, 7), torch.tensor(0.5, dtype=draw.dtype)),
    surrogate=lambda x, alpha: alpha * x / (x * x + alpha * alpha).sqrt(),
    wrt=("x",),
    because=SPIKE,
)
def circ(x: Tensor, alpha: Tensor) -> Tensor:
    return functional.threshold(x, "circ", alpha)


@FUNCTIONS.holds(lambda draw: (draw.normal(5, 4),), step, surrogate=half_tents, because=SPIKE)
def tent(x: Tensor) -> Tensor:
    return functional.threshold(x, "tent", torch.tensor(2.0))


@FUNCTIONS.holds(
    lambda draw: (draw.normal(6, 4),),
    surrogate=lambda x: torch.erf(1.5 * x) / 1.5,
    because=SPIKE,
)
def erfc(x: Tensor) -> Tensor:
    return functional.heavi_erfc_fn(x, torch.tensor(1.5))
