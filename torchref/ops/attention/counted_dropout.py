"""Dropout whose choices are numbered: which weights stay is computed of a seed and their place.

Any part of the choices can be made again, in any order: so a block of the weights can be computed
anew in the backward pass, and the same weights stay that stayed in the forward pass.
"""

import math

from torch import Tensor

from torchref.ops.attention.scores import positions

GOLDEN = -7046029254386353131  # 0x9E3779B97F4A7C15, as the signed number that int64 holds
FIRST = -4658895280553007687  # 0xBF58476D1CE4E5B9
SECOND = -7723592293110705685  # 0x94D049BB133111EB


def shifted(x: Tensor, bits: int) -> Tensor:
    """x >> bits with zeros coming in, where int64 would bring in the sign."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def numbered(start: Tensor, number: Tensor) -> Tensor:
    """The number-th of SplitMix64's numbers from a start, of 64 random bits each."""
    z = start + number * GOLDEN
    z = (z ^ shifted(z, 30)) * FIRST
    z = (z ^ shifted(z, 27)) * SECOND
    return z ^ shifted(z, 31)


def dropout_factors(
    weights: Tensor, seed: Tensor | None, dropout_p: float, rows: range, columns: range
) -> Tensor | None:
    """What each weight is multiplied by, 0 or 1 / (1 − p): it stays with the chance 1 − p.

    weights are those of the rows and columns of a matrix, for each entry of the dimensions before
    the last two. A seed, the batch and the row number the start of the row's choices. None stands
    for no dropout. Source: Steele, Lea and Flood 2014 (SplitMix64).

    >>> dropout_factors(torch.ones(2, 6), torch.tensor(0), 0.5, range(2), range(6))
    tensor([[0., 2., 0., 0., 2., 0.],
            [0., 2., 2., 0., 2., 2.]])
    """
    if seed is None or dropout_p == 0:
        return None
    batches = weights.shape[:-2]
    batch = positions(range(math.prod(batches)), weights).reshape(*batches, 1, 1)
    row, column = positions(rows, weights).unsqueeze(-1), positions(columns, weights)
    start = numbered(numbered(seed, batch), row)
    chance = shifted(numbered(start, column), 11).double() * 2**-53
    factor = 0.0 if dropout_p == 1 else 1 / (1 - dropout_p)
    return (chance >= dropout_p).to(weights.dtype) * factor


def dropped_out(x: Tensor, factors: Tensor | None) -> Tensor:
    """Weights after the dropout, and their gradient before it: the map is its own transpose."""
    return x if factors is None else x * factors
