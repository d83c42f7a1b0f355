"""Which wrong gradients of a Function are wrong: tried on random cotangents where tests call it."""

from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from torchref.testing.mutation.kinds import (
    DROPPED,
    KINDS,
    MISSING,
    OVERWRITTEN,
    SCALED,
    Backward,
    Plan,
    gradients_in,
    is_gradient,
    only_first,
)

MOST_OF_A_SHAPE, MOST_SHAPES = 2, 40  # calls of a Function that are experimented with
SHOWS = 1e-4  # of the largest entry: what differs by less is the same but for rounding
COARSE = 1e-3  # the epsilon of numbers in which an error of 1 % is rounding


@dataclass
class Seen:
    """What is known of the backward of one Function."""

    plans: set[Plan] = field(default_factory=set)  # the wrong gradients that are wrong
    asked: set[int] = field(default_factory=set)  # arguments whose gradient is used
    unasked: set[int] = field(default_factory=set)  # whose gradient is computed for nobody

    def add(self, other: "Seen") -> None:
        """What was seen elsewhere; of a dropped reduction, one dimension is enough."""
        known = {plan[:2] for plan in self.plans}
        self.plans |= {plan for plan in other.plans if plan[:2] not in known}
        self.asked |= other.asked
        self.unasked |= other.unasked


class Survey:
    """What is seen of each Function's backward while tests run."""

    def __init__(self) -> None:
        self._seen: defaultdict[str, Seen] = defaultdict(Seen)
        self._ran: set[str] = set()
        self._tried: defaultdict[str, Counter[Any]] = defaultdict(Counter)
        self._seed = 0

    def take(self) -> dict[str, Seen]:
        """What is known of each Function whose backward ran since this was called last."""
        seen = {name: self._seen[name] for name in self._ran}
        self._ran.clear()
        return seen

    def around(self, name: str) -> Callable[..., Any]:
        """What to plant in the Function of this name."""

        def surveyed(backward: Backward, ctx: Any, *grads: Any) -> Any:
            self._ran.add(name)
            shapes = tuple(tuple(each.shape) if is_gradient(each) else None for each in grads)
            tried = self._tried[name]
            if tried[shapes] < MOST_OF_A_SHAPE and (shapes in tried or len(tried) < MOST_SHAPES):
                tried[shapes] += 1
                with suppress(Exception), torch.no_grad():  # of a backward that cannot run twice
                    self._experiment(name, partial(backward, ctx), grads, ctx)
            returned = backward(ctx, *grads)
            self._note(name, gradients_in(returned), ctx, grads)
            return returned

        return surveyed

    def _note(self, name: str, gradients: tuple[Any, ...], ctx: Any, grads: Any) -> None:
        if any(map(is_gradient, grads)):
            self._seen[name].plans.add((OVERWRITTEN, None, None))
        for argument, gradient in enumerate(gradients):
            if is_gradient(gradient):
                seen = self._seen[name]
                (seen.asked if _is_asked(ctx, argument) else seen.unasked).add(argument)

    def _experiment(self, name: str, backward: Backward, grads: tuple[Any, ...], ctx: Any) -> None:
        self._seed += 1
        plans = self._seen[name].plans
        cotangents = tuple(
            _random(each, self._seed) if is_gradient(each) else each for each in grads
        )
        right = gradients_in(backward(*cotangents))
        arguments = [n for n, each in enumerate(right) if is_gradient(each) and _is_asked(ctx, n)]
        for argument in arguments:
            dim = _reduced(backward, cotangents, argument)
            for kind in KINDS:
                if _is_apart(kind, len(arguments), right[argument], dim):
                    continue
                plan = (kind, argument, dim if kind == DROPPED else None)
                if not any(plan[:2] == known[:2] for known in plans):
                    wrong = KINDS[kind].change(backward, cotangents, argument, dim or 0)
                    if _differs(gradients_in(wrong)[argument], right[argument]):
                        plans.add(plan)


def _is_asked(ctx: Any, argument: int) -> bool:
    needed = getattr(ctx, "needs_input_grad", None)
    return needed is None or argument >= len(needed) or needed[argument]


def _is_apart(kind: str, arguments: int, gradient: Tensor, dim: int | None) -> bool:
    """Whether a kind is no mistake that this backward could make, or none that could be seen."""
    return (
        kind == OVERWRITTEN
        or (kind == MISSING and arguments < 2)
        or (kind == DROPPED and dim is None)
        or (kind == SCALED and torch.finfo(gradient.dtype).eps > COARSE)
    )


def _random(like: Tensor, seed: int) -> Tensor:
    """Of its shape and kind; from a generator of its own, since the tests count on the other."""
    generator = torch.Generator(like.device).manual_seed(seed)
    return torch.randn(like.shape, dtype=like.dtype, device=like.device, generator=generator)


def _reduced(backward: Backward, cotangents: tuple[Any, ...], argument: int) -> int | None:
    """A dimension of the outputs over which this gradient sums: its slices meet in one entry."""
    dims = max((each.ndim for each in cotangents if is_gradient(each)), default=0)
    for dim in range(dims):
        firsts = [only_first(each, dim) if is_gradient(each) else each for each in cotangents]
        rests = [
            each - first if is_gradient(each) else each
            for each, first in zip(cotangents, firsts, strict=True)
        ]
        both = [gradients_in(backward(*each))[argument] for each in (firsts, rests)]
        if all(map(is_gradient, both)) and bool(((both[0] != 0) & (both[1] != 0)).any()):
            return dim
    return None


def _differs(wrong: Any, right: Tensor) -> bool:
    other = torch.zeros_like(right) if wrong is None else wrong
    distance, sizes = (other - right).abs(), right.abs().maximum(other.abs())
    is_number = distance.isfinite() & sizes.isfinite()
    if not is_number.any():
        return False
    return bool(distance[is_number].max() > SHOWS * sizes[is_number].max())
