"""A Function that a package publishes, called as its user calls it, and what it should be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Generator, Tensor

from torchref import Report, crosscheck

Inputs = tuple[Any, ...]


class Draw:
    """Random inputs in the dtype that the package is used with, the same for the same seed."""

    def __init__(self, seed: int, dtype: torch.dtype) -> None:
        self.generator = Generator().manual_seed(seed)
        self.dtype = dtype

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.generator).to(self.dtype)

    def between(self, low: float, high: float, *shape: int) -> Tensor:
        return (low + (high - low) * torch.rand(shape, generator=self.generator)).to(self.dtype)

    def below(self, high: int, *shape: int) -> Tensor:
        return torch.randint(high, shape, generator=self.generator)

    def positive_definite(self, n: int) -> Tensor:
        a = self.normal(n, n)
        return a @ a.T + torch.eye(n, dtype=self.dtype)


@dataclass(frozen=True)
class Published:
    """`call` takes the inputs and applies the Function; `options` are those of `crosscheck` that
    its user would give (`surrogate`, `expect`, `domain`, `vary`, `tolerance`, `wrt`), and why is in
    `because`.
    """

    name: str
    call: Callable[..., Any]
    reference: Callable[..., Any] | None
    inputs: Callable[[Draw], Inputs]
    dtype: torch.dtype = torch.float32
    options: Mapping[str, Any] = field(default_factory=dict)
    because: str = ""
    right: bool = True  # False: a bug of the package, confirmed by hand
    culprit: str = ""  # of a wrong call that applies several Functions: the one that is wrong

    def report(self, seed: int) -> Report:
        inputs = self.inputs(Draw(seed, self.dtype))
        return crosscheck(self.call, self.reference, inputs, seed=seed, **self.options)


class Shelf(list[Published]):
    """The Functions of one package, each put there by a decorator of its call."""

    def __init__(self, package: str) -> None:
        super().__init__()
        self.package = package

    def holds(
        self,
        inputs: Callable[[Draw], Inputs],
        reference: Callable[..., Any] | None = None,
        *,
        dtype: torch.dtype = torch.float32,
        because: str = "",
        right: bool = True,
        culprit: str = "",
        **options: Any,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def put(call: Callable[..., Any]) -> Callable[..., Any]:
            name = f"{self.package}.{call.__name__}"
            of_user = (options, because, right, culprit)
            self.append(Published(name, call, reference, inputs, dtype, *of_user))
            return call

        return put
