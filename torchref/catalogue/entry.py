"""What the catalogue knows of an op, and random tensors in float64 for its samples."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor

from torchref.ops import Op

Inputs = tuple[Any, ...]


@dataclass(frozen=True)
class Entry:
    """An op, its twin, and inputs in float64 drawn from a generator.

    samples    what the op is for: other ranks, optional inputs, every convention
    tripping   where handwritten gradients go wrong: empty, extreme, saturated, not contiguous
    """

    op: type[Op]
    twin: Callable[..., Tensor]
    samples: Callable[[Generator], tuple[Inputs, ...]]
    tripping: Callable[[Generator], tuple[Inputs, ...]]

    @property
    def name(self) -> str:
        return self.op.__name__

    def inputs(self, seed: int, device: torch.device | str = "cpu") -> tuple[Inputs, ...]:
        """All samples and tripping inputs, with the layouts that they have on the CPU."""
        generator = torch.Generator().manual_seed(seed)
        drawn = self.samples(generator) + self.tripping(generator)
        return tuple(
            tuple(x.to(device) if isinstance(x, Tensor) else x for x in each) for each in drawn
        )


def normal(generator: Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def chance(generator: Generator, *shape: int) -> Tensor:
    """In [0.1, 0.9]: away from the ends, where the log loss has its conventions."""
    return 0.1 + 0.8 * torch.rand(shape, generator=generator, dtype=torch.float64)
