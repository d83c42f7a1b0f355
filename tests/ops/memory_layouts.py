"""The same numbers in other places: tensors that are not contiguous."""

from collections.abc import Callable

import torch
from torch import Tensor


def contiguous(x: Tensor) -> Tensor:
    return x.contiguous()


def transposed(x: Tensor) -> Tensor:
    if x.dim() < 2:
        return strided(x)
    return x.movedim(0, -1).contiguous().movedim(-1, 0)


def strided(x: Tensor) -> Tensor:
    return torch.stack((x, torch.full_like(x, torch.nan)), dim=-1)[..., 0]


def expanded(x: Tensor) -> Tensor:
    """The one layout that cannot keep the numbers: every slice is the first."""
    return x[:1].expand_as(x) if x.dim() and x.shape[0] else strided(x)


LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    layout.__name__: layout for layout in (contiguous, transposed, strided, expanded)
}
