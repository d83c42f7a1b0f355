"""Functions of torch that are right: a cross-check of each against itself is silent."""

from . import (
    activations,
    complex_numbers,
    indexing,
    linear_algebra,
    losses,
    normalisation,
    pointwise,
    products,
    reductions,
    selections,
    shapes,
    windows,
)
from .right_function import RightFunction

RIGHT: tuple[RightFunction, ...] = (
    *activations.FUNCTIONS,
    *pointwise.FUNCTIONS,
    *reductions.FUNCTIONS,
    *selections.FUNCTIONS,
    *indexing.FUNCTIONS,
    *normalisation.FUNCTIONS,
    *losses.FUNCTIONS,
    *products.FUNCTIONS,
    *windows.FUNCTIONS,
    *shapes.FUNCTIONS,
    *linear_algebra.FUNCTIONS,
    *complex_numbers.FUNCTIONS,
)

__all__ = ["RIGHT", "RightFunction"]
