"""How many multiplications the stored derivatives save, counted for one example."""

from dataclasses import dataclass
from itertools import pairwise
from math import prod


@dataclass(frozen=True)
class Counts:
    """Multiplications for the gradient of every parameter."""

    reused: int
    recomputed: int

    @property
    def saved(self) -> int:
        return self.recomputed - self.reused


def count(
    sizes: tuple[int, ...], activations: tuple[int, ...], bias: bool | tuple[bool, ...] = True
) -> Counts:
    """For a network with `sizes` neurons by level, and so many activations after each level.

    Counted are the products of local derivatives, for every weight and every bias; not the forward
    pass, not what a local derivative takes to compute, as a(1 − a), and no addition. Explanations
    and experiments count alike: `experiments.three_layers` computes both ways number by number.

    `bias` says whether there are biases, for all levels or for each.

    With reuse, δ of the last level takes one multiplication a neuron and activation; δ of a lower
    level one a weight above it and one a neuron and activation; each weight one more, δ times
    what it is multiplied with; a bias none. Without, every parameter multiplies all factors of
    all its paths.

    >>> count((2, 2, 1), (1, 1))
    Counts(reused=11, recomputed=27)
    """
    biased = (bias,) * len(activations) if isinstance(bias, bool) else bias
    slopes = sum(size * times for size, times in zip(sizes[1:], activations, strict=True))
    weights = [below * above for below, above in pairwise(sizes)]
    reused = slopes + sum(weights[1:]) + sum(weights)
    recomputed = 0
    for level in range(1, len(sizes)):
        paths = prod(sizes[level + 1 :])
        # ∂L/∂ŷ, the slopes on the way, a weight for each step between levels, and the factor of
        # the parameter itself, which for a bias is 1.
        factors = 1 + sum(activations[level - 1 :]) + len(sizes) - 1 - level + 1
        recomputed += paths * weights[level - 1] * (factors - 1)
        recomputed += paths * sizes[level] * (factors - 2) * biased[level - 1]
    return Counts(reused, recomputed)


def growth(sizes: tuple[int, ...], depths: range) -> dict[int, Counts]:
    """The same for other depths: inputs and outputs as they are, hidden levels all alike.

    The hidden width is that of the widest hidden level, or of the inputs where there is none;
    one activation after each level.
    """
    hidden = max(sizes[1:-1], default=sizes[0])
    return {
        depth: count((sizes[0], *(hidden,) * (depth - 1), sizes[-1]), (1,) * depth)
        for depth in depths
    }
