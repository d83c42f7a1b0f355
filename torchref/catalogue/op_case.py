"""What is known of an op that someone wrote: its twin, its inputs, and what it does not offer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Generator, Tensor

Inputs = tuple[Any, ...]
Draw = Callable[[Generator], tuple[Inputs, ...]]


def no_inputs(_: Generator) -> tuple[Inputs, ...]:
    """None that trip."""
    return ()


@dataclass(frozen=True)
class OpCase:
    """An op, its twin, and inputs drawn from a generator.

    op         a `torch.autograd.Function`, a `torch.library` custom op or any callable
    twin       the torch expression that it should equal, in value and gradients
    samples    what the op is for: other ranks, optional inputs, every convention
    tripping   where handwritten gradients go wrong: empty, extreme, saturated, not contiguous
    order      2 for an op that may be differentiated twice
    refuses    by the name of a claim, why the op does not make it
    options    further arguments of `torchref.crosscheck`: domain, expect, tolerance, surrogate, ...

    >>> from torchref.ops import Sigmoid
    >>> case = OpCase(Sigmoid, torch.sigmoid, lambda draw: ((torch.randn(4, generator=draw),),))
    >>> case.name, len(case.inputs(seed=0))
    ('Sigmoid', 1)
    """

    op: Any
    twin: Callable[..., Any]
    samples: Draw
    tripping: Draw = no_inputs
    order: Literal[1, 2] = field(default=1, kw_only=True)
    refuses: Mapping[str, str] = field(default_factory=dict, kw_only=True, hash=False)
    options: Mapping[str, Any] = field(default_factory=dict, kw_only=True, hash=False)

    @property
    def name(self) -> str:
        return str(getattr(self.op, "__name__", None) or getattr(self.op, "_name", self.op))

    def inputs(self, seed: int, device: torch.device | str = "cpu") -> tuple[Inputs, ...]:
        """All samples and tripping inputs, with the layouts that they have on the CPU."""
        generator = torch.Generator().manual_seed(seed)
        drawn = self.samples(generator) + self.tripping(generator)
        return tuple(
            tuple(x.to(device) if isinstance(x, Tensor) else x for x in each) for each in drawn
        )


def normal(generator: Generator, *shape: int) -> Tensor:
    """Standard normal in float64."""
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def chance(generator: Generator, *shape: int) -> Tensor:
    """In [0.1, 0.9]: away from the ends, where the log loss has its conventions."""
    return 0.1 + 0.8 * torch.rand(shape, generator=generator, dtype=torch.float64)
