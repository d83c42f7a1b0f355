"""A kernel as its author brings it: the Function, how it is called, and a plain reference."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Generator, Tensor
from torch.autograd import Function

from tests.kernels.interpreter import DEVICE

SCRATCH = "the kernel keeps its gradient there, to need no memory of its own"
Inputs = tuple[Any, ...]


class Draw:
    """Random inputs of one dtype, the same for the same seed in every dtype up to rounding."""

    def __init__(self, dtype: torch.dtype, seed: int) -> None:
        self.dtype = dtype
        self.generator = Generator().manual_seed(seed)

    def normal(self, *shape: int) -> Tensor:
        return self._cast(torch.randn(shape, generator=self.generator))

    def scale(self, *shape: int) -> Tensor:
        """Like the weight of a normalisation, about 1."""
        return self._cast(1 + 0.3 * torch.randn(shape, generator=self.generator))

    def between(self, low: float, high: float, *shape: int) -> Tensor:
        return self._cast(low + (high - low) * torch.rand(shape, generator=self.generator))

    def probabilities(self, *shape: int) -> Tensor:
        return self._cast(torch.randn(shape, generator=self.generator).softmax(-1))

    def log_probabilities(self, *shape: int) -> Tensor:
        return self._cast(torch.randn(shape, generator=self.generator).log_softmax(-1))

    def below(self, high: int, *shape: int) -> Tensor:
        return torch.randint(high, shape, generator=self.generator).to(DEVICE)

    def _cast(self, x: Tensor) -> Tensor:
        return x.to(DEVICE, self.dtype)


@dataclass(frozen=True)
class Kernel:
    """`call` takes the Function's `apply` first, so that a planted error can stand in its place.

    `places` says which of `apply`'s arguments a named one is, where it is not the one of the same
    position, `constant` which have no gradient, and `by_design` which causes are on purpose, and
    why. A kernel that is `held_out` is not looked at while the checker's rules are made: it
    measures them.
    """

    name: str
    function: type[Function]
    call: Callable[..., Any]
    reference: Callable[..., Any]
    inputs: Callable[[Draw], Inputs]
    held_out: bool
    places: Mapping[str, int] = field(default_factory=dict)
    constant: tuple[str, ...] = ()
    by_design: Mapping[str, str] = field(default_factory=dict)

    def candidate(self, function: type[Function] | None = None) -> Callable[..., Any]:
        """What the author would hand over, with the names of its arguments."""
        bound = functools.partial(self.call, (function or self.function).apply)
        bound.__name__ = self.name  # type: ignore[attr-defined]  # the report's title
        return bound

    def drawn(self, dtype: torch.dtype, seed: int) -> Inputs:
        return self.inputs(Draw(dtype, seed))

    def arguments(self) -> tuple[str, ...]:
        return tuple(inspect.signature(self.call).parameters)[1:]

    def differentiable(self) -> dict[str, int]:
        """By name: the place among `apply`'s arguments."""
        values = self.drawn(torch.float32, 0)
        return {
            name: self.places.get(name, place)
            for place, (name, x) in enumerate(zip(self.arguments(), values, strict=True))
            if isinstance(x, Tensor) and x.is_floating_point() and name not in self.constant
        }


class Shelf(list[Kernel]):
    """The kernels of one package, each put there by a decorator of its call."""

    def __init__(self, package: str) -> None:
        super().__init__()
        self.package = package

    def holds(
        self,
        function: type[Function],
        reference: Callable[..., Any],
        inputs: Callable[[Draw], Inputs],
        *,
        held_out: bool = False,
        places: Mapping[str, int] | None = None,
        constant: tuple[str, ...] = (),
        in_place: tuple[str, ...] = (),
    ) -> Callable[[Callable[..., Any]], Kernel]:
        def put(call: Callable[..., Any]) -> Kernel:
            name = f"{self.package}.{call.__name__}"
            kernel = Kernel(
                name,
                function,
                call,
                reference,
                inputs,
                held_out,
                places or {},
                constant,
                dict.fromkeys(in_place, SCRATCH),
            )
            self.append(kernel)
            return kernel

        return put
