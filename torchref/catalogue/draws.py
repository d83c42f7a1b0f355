"""Random tensors for the samples, in float64."""

import torch
from torch import Generator, Tensor


def normal(generator: Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def chance(generator: Generator, *shape: int) -> Tensor:
    """In [0.1, 0.9]: away from the ends, where the log loss has its conventions."""
    return 0.1 + 0.8 * torch.rand(shape, generator=generator, dtype=torch.float64)
