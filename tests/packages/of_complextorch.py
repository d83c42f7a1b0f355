"""complextorch: networks with complex numbers."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Draw, Shelf

pytest.importorskip("complextorch", reason="complextorch is not installed")

from complextorch.nn.modules.activation.complex_relu import GTReLU, _PhaseHalfPlaneMask
from complextorch.nn.relevance._expi import torch_expi

FUNCTIONS = Shelf("complextorch")


@FUNCTIONS.holds(
    lambda draw: (-draw.between(0.1, 4, 4, 7),),
    domain={"x": lambda x: x < -1e-6},
    because="the exponential integral is used for negative numbers",
)
def exponential_integral(x: Tensor) -> Tensor:
    return torch_expi(x)


def upper_half(phase: Tensor) -> Tensor:
    return torch.where(phase % (2 * torch.pi) <= torch.pi, phase, 0.0)


@FUNCTIONS.holds(lambda draw: (draw.between(-3, 3, 4, 7),), upper_half)
def phase_mask(phase: Tensor) -> Tensor:
    return _PhaseHalfPlaneMask.apply(phase)


def signal(draw: Draw) -> Tensor:
    return torch.complex(draw.normal(2, 3, 5), draw.normal(2, 3, 5))


@FUNCTIONS.holds(lambda draw: (signal(draw),), dtype=torch.float64)
def rectified_phase(z: Tensor) -> Tensor:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return GTReLU(3).to(z.real.dtype)(z)
