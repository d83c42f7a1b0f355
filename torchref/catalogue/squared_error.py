"""The squared error."""

import torch.nn.functional as F
from torch import Generator, Tensor

from torchref.catalogue.draws import normal
from torchref.catalogue.entry import Entry, Inputs
from torchref.ops import SquaredError


def squared_error_twin(x: Tensor, target: Tensor) -> Tensor:
    return F.mse_loss(x, target, reduction="none")


def _squared_error_samples(g: Generator) -> tuple[Inputs, ...]:
    return tuple((normal(g, *shape), normal(g, *shape)) for shape in ((5, 3), (4,), ()))


def _squared_error_tripping(g: Generator) -> tuple[Inputs, ...]:
    same = normal(g, 3)
    return (
        (same, same.clone()),
        (normal(g, 0, 3), normal(g, 0, 3)),
        (normal(g, 3, 5).T, normal(g, 5, 3)),
    )


ENTRIES = (
    Entry(SquaredError, squared_error_twin, _squared_error_samples, _squared_error_tripping),
)
