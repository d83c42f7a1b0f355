"""Every input of the catalogue as one case with a readable name, for tests to walk over."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import pytest
import torch
from torch import Tensor

from tests.random_inputs import seeded
from torchref.catalogue import CATALOGUE, Entry, Inputs
from torchref.catalogue.entry import normal

DEVICES = ("cpu", pytest.param("cuda", marks=pytest.mark.cuda))

# torch scripts some of its own rules when they are first used, and its compiler makes
# an instance of every Function: both against its own advice.
TORCH_SCRIPTS_ITS_JVP = "ignore:.torch.jit.script.* is deprecated:DeprecationWarning"
TORCH_MAKES_INSTANCES = "ignore:.*should not be instantiated:DeprecationWarning"


@dataclass(frozen=True)
class Case:
    """One of the inputs of one op, drawn anew for every seed."""

    entry: Entry
    kind: Literal["samples", "tripping"]
    number: int

    def inputs(self, seed: int = 0, device: str = "cpu") -> Inputs:
        return on_device(getattr(self.entry, self.kind)(seeded(seed))[self.number], device)

    def __str__(self) -> str:
        return f"{self.entry.name}-{self.kind}-{self.number}"


def planted(op: type, kind: Literal["samples", "tripping"] = "samples", number: int = 0) -> Case:
    """An op with a mistake under an input of the op that it was made of."""
    return Case(replace(CATALOGUE[op.__base__.__name__], op=op), kind, number)


def cases(kind: Literal["samples", "tripping"]) -> list[Case]:
    return [
        Case(entry, kind, number)
        for entry in CATALOGUE.values()
        for number in range(len(getattr(entry, kind)(seeded(0))))
    ]


FACTORISATIONS = {"Cholesky", "Inverse", "LogDet", "Solve"}


def has_a_twin_in(dtype: torch.dtype, op: str) -> bool:
    """torch factorises no matrices of lower dtypes than float32."""
    return op not in FACTORISATIONS or dtype.itemsize >= 4


SAMPLES = cases("samples")
TRIPPING = cases("tripping")


def normal_like(y: Tensor, seed: int) -> Tensor:
    """A random cotangent for y."""
    return normal(seeded(seed), *y.shape).to(y.device, y.dtype)


def on_device(inputs: Inputs, device: str) -> Inputs:
    return tuple(x.to(device) if isinstance(x, Tensor) else x for x in inputs)


def is_differentiated(x: Any) -> bool:
    """Whether it is a tensor, and none of class numbers or labels."""
    return isinstance(x, Tensor) and x.is_floating_point()


def tensors(inputs: Inputs) -> tuple[Tensor, ...]:
    return tuple(x for x in inputs if is_differentiated(x))


def on_each(change: Callable[[Tensor], Tensor], inputs: Inputs) -> tuple[Any, ...]:
    """The inputs with every tensor changed and everything else as it was."""
    return tuple(change(x) if is_differentiated(x) else x for x in inputs)


def of_tensors(function: Callable[..., Tensor], inputs: Inputs) -> Callable[..., Tensor]:
    """The function of its tensor inputs alone, the others held as they are."""

    def held(*given: Tensor) -> Tensor:
        remaining = iter(given)
        return function(*on_each(lambda _: next(remaining), inputs))

    return held


def gradients(
    function: Callable[..., Tensor], inputs: Inputs, seed: int = 1
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The value, and the gradient of every tensor input under a random cotangent."""
    leaves = on_each(lambda x: x.detach().requires_grad_(), inputs)
    y = function(*leaves)
    return y.detach(), torch.autograd.grad(y, tensors(leaves), normal_like(y, seed))
