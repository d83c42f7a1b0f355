"""How inputs are drawn for a function under test."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Inputs = Callable[[torch.Generator], tuple]


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def leaf(values: Tensor) -> Tensor:
    """The same values and strides as a leaf that requires grad."""
    return values.detach().requires_grad_()


def normal(generator: torch.Generator, *shape: int) -> Tensor:
    """A standard normal leaf of float64 that requires grad."""
    return leaf(torch.randn(shape, generator=generator, dtype=torch.float64))


def uniform(generator: torch.Generator, low: float, high: float, *shape: int) -> Tensor:
    """A leaf of float64 between two bounds that requires grad."""
    share = torch.rand(shape, generator=generator, dtype=torch.float64)
    return leaf(share * (high - low) + low)


def positive(generator: torch.Generator, *shape: int) -> Tensor:
    """A leaf of float64 between 0.5 and 1.5 that requires grad."""
    return uniform(generator, 0.5, 1.5, *shape)


def number(value: float) -> Tensor:
    """A leaf of float64 without dimensions that requires grad."""
    return leaf(torch.tensor(value, dtype=torch.float64))


def complex_normal(generator: torch.Generator, *shape: int) -> Tensor:
    """A leaf of complex128 that requires grad."""
    return leaf(torch.randn(shape, generator=generator, dtype=torch.complex128))


def indices(generator: torch.Generator, below: int, *shape: int) -> Tensor:
    """Integers from 0 to below - 1."""
    return torch.randint(below, shape, generator=generator)


def normals(*shapes: tuple[int, ...]) -> Inputs:
    """Inputs that are one normal tensor for each shape."""

    def draw(generator):
        return tuple(normal(generator, *shape) for shape in shapes)

    return draw


def positives(*shapes: tuple[int, ...]) -> Inputs:
    """Inputs that are one positive tensor for each shape."""

    def draw(generator):
        return tuple(positive(generator, *shape) for shape in shapes)

    return draw


def within(low: float, high: float, *shape: int) -> Inputs:
    """One tensor with entries strictly between two bounds."""

    def draw(generator):
        share = 0.02 + 0.96 * torch.rand(shape, generator=generator, dtype=torch.float64)
        return (leaf(low + (high - low) * share),)

    return draw


def with_entries(shape: tuple[int, ...], entries: dict[tuple, float]) -> Inputs:
    """One normal tensor in which some entries are set to given values."""

    def draw(generator):
        values = normal(generator, *shape).detach()
        for position, value in entries.items():
            values[position] = value
        return (leaf(values),)

    return draw


def followed_by(draw: Inputs, *values: object) -> Inputs:
    """The drawn inputs, and after them the same values in each draw."""

    def with_values(generator):
        return (*draw(generator), *values)

    return with_values


def small_integers(*shape: int) -> Inputs:
    """One tensor with entries among -2 … 2, so that zeros and ties are everywhere."""

    def draw(generator):
        return (leaf((indices(generator, 5, *shape) - 2).to(torch.float64)),)

    return draw
