"""The shapes of the inputs of every op, from the files of its families.

SHAPES_OF    the shape of each tensor, None for one left out, or what is no tensor
OPTIONS      what follows the tensors
CHANCES      which arguments lie in [0, 1]
DIFFERENCES  ops of whose gradients every entry is a difference of shares of the cotangent
"""

from tests.ops.shapes import (
    activations,
    attention,
    convolution,
    indexing,
    linear,
    linear_algebra,
    losses,
    normalisation,
    recurrent,
    softmax,
)
from tests.ops.shapes.drawn import Drawn, Options

FAMILIES = (
    activations,
    attention,
    convolution,
    indexing,
    linear,
    losses,
    normalisation,
    softmax,
    recurrent,
    linear_algebra,
)

SHAPES_OF: dict[str, Drawn] = {}
OPTIONS: dict[str, Options] = {}
CHANCES: dict[str, tuple[int, ...]] = {}
DIFFERENCES: set[str] = set()

for family in FAMILIES:
    SHAPES_OF |= family.SHAPES_OF
    OPTIONS |= getattr(family, "OPTIONS", {})
    CHANCES |= getattr(family, "CHANCES", {})
    DIFFERENCES |= getattr(family, "DIFFERENCES", set())
