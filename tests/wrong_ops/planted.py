"""What a planted bug is, and how its inputs are drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd import Function

CAUSES = frozenset(
    {
        "sign-flipped",
        "constant-factor",
        "missing-local-derivative",
        "transposed",
        "swapped-arguments",
        "ignores-grad-output",
        "not-linear-in-grad-output",
        "missing-reduction",
        "missing-gradient",
        "missing-term",
        "wrong-shape",
        "wrong-dtype",
        "wrong-elements",
        "not-finite",
        "layout-dependent",
        "mutates-grad-output",
        "mutates-input",
        "mutates-saved",
        "aliased-buffer",
        "stale-state",
        "accumulates",
        "depends-on-requires-grad",
        "uninitialised-memory",
        "nondeterministic",
        "precision-loss",
        "second-order-wrong",
        "forward-mode-wrong",
        "forward-wrong",
        "forward-noisy",
        "raises",
    }
)

Inputs = Callable[[torch.Generator], tuple]


@dataclass(frozen=True)
class PlantedBug:
    """One op that is wrong on purpose, beside the same op mended.

    Input tensors that need a gradient have requires_grad set; every argument is positional.
    A behavioural bug cannot be seen by comparing the gradients of a single plain backward:
    it needs a second call, another layout, a subset of inputs, poisoned memory, another order.
    """

    name: str
    wrong: Callable | type
    right: Callable | type
    reference: Callable
    ordinary: Inputs
    tripping: Inputs
    causes: tuple[str, ...]
    source: str
    behavioural: bool = False


class SavesInputs(Function):
    """Saves all tensor inputs for backward and keeps the other arguments in ctx.options."""

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*(value for value in inputs if isinstance(value, Tensor)))
        ctx.options = tuple(value for value in inputs if not isinstance(value, Tensor))


def normal(generator: torch.Generator, *shape: int) -> Tensor:
    """A standard normal leaf of float64 that requires grad."""
    return torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()


def positive(generator: torch.Generator, *shape: int) -> Tensor:
    """A leaf of float64 between 0.5 and 1.5 that requires grad."""
    values = torch.rand(shape, generator=generator, dtype=torch.float64) + 0.5
    return values.requires_grad_()


def indices(generator: torch.Generator, below: int, *shape: int) -> Tensor:
    """Integers from 0 to below - 1."""
    return torch.randint(below, shape, generator=generator)


def leaf(values: Tensor) -> Tensor:
    """The same values and strides as a leaf that requires grad."""
    return values.detach().requires_grad_()


def normals(*shapes: tuple[int, ...]) -> Inputs:
    """Inputs that are one normal tensor for each shape."""

    def draw(generator: torch.Generator) -> tuple:
        return tuple(normal(generator, *shape) for shape in shapes)

    return draw


def with_entries(shape: tuple[int, ...], entries: dict[tuple[int, ...], float]) -> Inputs:
    """One normal tensor in which some entries are set to given values."""

    def draw(generator: torch.Generator) -> tuple:
        values = normal(generator, *shape).detach()
        for position, value in entries.items():
            values[position] = value
        return (leaf(values),)

    return draw
