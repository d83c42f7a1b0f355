"""Activations: the smooth ones, those of several pieces, PReLU, and gated units."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from torchref.catalogue.entry import Entry, Inputs, normal
from torchref.ops import (
    ELU,
    GEGLU,
    GELU,
    GLU,
    SELU,
    Hardsigmoid,
    Hardswish,
    LeakyReLU,
    LogSigmoid,
    Mish,
    Op,
    PReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    SwiGLU,
    Tanh,
    TanhGELU,
)


def _elementwise_samples(g: Generator) -> tuple[Inputs, ...]:
    return ((normal(g, 5, 3),), (normal(g, 7),), (normal(g),), (normal(g, 2, 3, 4),))


def _elementwise_tripping(g: Generator) -> tuple[Inputs, ...]:
    extremes = torch.tensor([0.0, 1e-300, -1e-300, 40.0, -40.0, 1e4, -1e4], dtype=torch.float64)
    kinks = torch.tensor([3.0, -3.0, 0.0, -0.0], dtype=torch.float64)
    shapes = (normal(g, 0, 3), normal(g, 3, 5).T, normal(g, 1).expand(4))
    return tuple((x,) for x in (extremes, kinks, *shapes))


def _with_options(
    draw: Callable[[Generator], tuple[Inputs, ...]], *options: Inputs
) -> Callable[[Generator], tuple[Inputs, ...]]:
    """The drawn inputs, each followed by the next of the options in turn."""

    def with_options(g: Generator) -> tuple[Inputs, ...]:
        drawn = draw(g)
        return tuple((*x, *options[number % len(options)]) for number, x in enumerate(drawn))

    return with_options


def _elementwise(op: type[Op], twin: Callable[..., Tensor], *options: Inputs) -> Entry:
    """The entry of an op that computes entry by entry, with some of the options for each input."""
    draws = (_elementwise_samples, _elementwise_tripping)
    return Entry(op, twin, *(_with_options(draw, *(options or ((),))) for draw in draws))


def softplus_twin(x: Tensor, beta: float, threshold: float) -> Tensor:
    """torch's own; where nothing is to be cut off, it overflows."""
    if threshold < math.inf:
        return F.softplus(x, beta, threshold)
    return torch.logaddexp(beta * x, torch.zeros_like(x)) / beta


def hardsigmoid_twin(x: Tensor) -> Tensor:
    """Composed, because the slope of torch's own is the float32 number nearest to 1/6."""
    return F.relu6(x + 3) / 6


def tanh_gelu_twin(x: Tensor) -> Tensor:
    return F.gelu(x, approximate="tanh")


def prelu_twin(x: Tensor, weight: Tensor) -> Tensor:
    """Composed, because torch's own takes a weight for each channel, and no other shapes."""
    return torch.where(x > 0, x, weight * x)


def _prelu_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 5, 3), normal(g, 3)),
        (normal(g, 5, 3), normal(g)),
        (normal(g, 2, 3, 4), normal(g, 3, 1)),
        (normal(g), normal(g)),
    )


def _prelu_tripping(g: Generator) -> tuple[Inputs, ...]:
    kinks = torch.tensor([0.0, -0.0, 1e-300, -1e-300, 1e4, -1e4], dtype=torch.float64)
    return (
        (kinks, normal(g)),
        (normal(g, 5, 3), torch.zeros(3, dtype=torch.float64)),
        (normal(g, 0, 3), normal(g, 3)),
        (normal(g, 3, 5).T, normal(g, 1).expand(3)),
    )


def _gated_samples(g: Generator) -> tuple[Inputs, ...]:
    return ((normal(g, 5, 6), -1), (normal(g, 4, 3), 0), (normal(g, 8), 0), (normal(g, 2, 6, 5), 1))


def _gated_tripping(g: Generator) -> tuple[Inputs, ...]:
    gates = torch.tensor([0.0, -0.0, 40.0, -40.0, 1e4, -1e4], dtype=torch.float64)
    return (
        (torch.stack((normal(g, 6), gates)), 0),
        (torch.stack((gates, normal(g, 6))), 0),
        (normal(g, 0, 4), -1),
        (normal(g, 3, 0), -1),
        (normal(g, 4, 5).T, -1),
        (normal(g, 1).expand(4), -1),
    )


def swiglu_twin(x: Tensor, dim: int) -> Tensor:
    value, gate = x.chunk(2, dim)
    return value * F.silu(gate)


def geglu_twin(x: Tensor, dim: int) -> Tensor:
    value, gate = x.chunk(2, dim)
    return value * F.gelu(gate)


ENTRIES = (
    _elementwise(Sigmoid, torch.sigmoid),
    _elementwise(Softplus, softplus_twin, (1.0, math.inf), (0.5, 20.0), (2.0, 1.0)),
    _elementwise(LogSigmoid, F.logsigmoid),
    _elementwise(Tanh, torch.tanh),
    _elementwise(SiLU, F.silu),
    _elementwise(Mish, F.mish),
    _elementwise(GELU, F.gelu),
    _elementwise(TanhGELU, tanh_gelu_twin),
    _elementwise(ReLU, F.relu),
    _elementwise(LeakyReLU, F.leaky_relu, (0.01,), (0.0,), (-0.5,)),
    Entry(PReLU, prelu_twin, _prelu_samples, _prelu_tripping),
    _elementwise(ELU, F.elu, (1.0,), (0.5,), (-2.0,)),
    _elementwise(SELU, F.selu),
    _elementwise(Hardsigmoid, hardsigmoid_twin),
    _elementwise(Hardswish, F.hardswish),
    Entry(GLU, F.glu, _gated_samples, _gated_tripping),
    Entry(SwiGLU, swiglu_twin, _gated_samples, _gated_tripping),
    Entry(GEGLU, geglu_twin, _gated_samples, _gated_tripping),
)
