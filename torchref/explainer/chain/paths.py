"""The chain rule of one entry of a parameter, for one example: its factors, its paths, its δ."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

from torch import Tensor

from torchref.explainer.chain.factors import (
    Factor,
    activation_factor,
    affine_factor,
    joined,
    loss_factor,
    own_factor,
    sum_factor,
    sum_from_above,
)
from torchref.explainer.chain.viewpoint import Viewpoint


@dataclass(frozen=True)
class Path:
    """One way from the parameter to the loss: the neurons passed, the last first, and factors."""

    neurons: tuple[int, ...]
    factors: tuple[Factor, ...]

    @property
    def product(self) -> float:
        return prod(factor.value for factor in self.factors)


def chain(view: Viewpoint) -> tuple[Factor, ...]:
    """Scalar factors where one path leads to the loss, the δ form where many do."""
    if path_count(view) == 1:
        return next(paths(view)).factors
    through = [stage for stage in view.above if stage.level == view.place.stage.level]
    inner = [activation_factor(view, stage, view.place.j) for stage in reversed(through)]
    return (sum_factor(view), *inner, own_factor(view))


def path_count(view: Viewpoint) -> int:
    return prod(stage.slopes.shape[0] for stage in view.above if stage.is_affine)


def paths(view: Viewpoint) -> Iterator[Path]:
    """Every way through the neurons of the levels above, with all its factors."""
    wide = [stage for stage in view.above if stage.is_affine]
    for choice in product(*(range(stage.slopes.shape[0]) for stage in wide)):
        yield Path(tuple(reversed(choice)), _along(view, (view.place.j, *choice)))


def _along(view: Viewpoint, neurons: tuple[int, ...]) -> tuple[Factor, ...]:
    first = view.place.stage.level
    factors = [loss_factor(view, neurons[-1])]
    for stage in reversed(view.above):
        j = neurons[stage.level - first]
        if stage.is_affine:
            factors.append(affine_factor(view, stage, neurons[stage.level - 1 - first], j))
            continue
        slope = activation_factor(view, stage, j)
        inside = stage.level < view.names.depth
        if inside and not view.names.notation.activation:  # what has no letter is no step
            slope = joined(factors.pop(), slope)
        factors.append(slope)
    return (*factors, own_factor(view))


def contributions(view: Viewpoint) -> Tensor:
    """The part of every example in the gradient: δ times what the parameter multiplies."""
    return view.place.stage.delta[:, view.place.j] * view.multiplied()


@dataclass(frozen=True)
class Delta:
    """δ = ∂L/∂z of every neuron of a level; the formula is that of the first."""

    symbol: str
    formula: str
    values: tuple[float, ...]


def deltas(view: Viewpoint) -> tuple[Delta, ...]:
    """From the last level to that of the place."""
    found = []
    stages = (view.place.stage, *view.above)
    for stage in reversed([stage for stage in stages if stage.is_affine]):
        level, is_last = stage.level, stage.level == view.names.depth
        own = [each for each in stages if each.level == level and not each.is_affine]
        slopes = [activation_factor(view, each, 0).formula for each in own]
        above = loss_factor(view, 0).symbol if is_last else sum_from_above(view, level, 0)
        values = tuple(stage.delta[view.example].tolist())
        found.append(Delta(view.names.delta(level, 0), " · ".join([above, *slopes]), values))
    return tuple(found)
