"""Matrices that are symmetric or triangular in the program, as covariances and their roots are.

A Function that is made for them may return any gradient that is right along changes that keep
them so: half of it at either place of a pair, or all of it at one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from torchref.auditor.recording.kept_call import KeptCall
from torchref.checker.execution.arithmetic import is_differentiable

SYMMETRIC, LOWER, UPPER = "symmetric", "lower triangular", "upper triangular"


@dataclass(frozen=True)
class Structure:
    """What the matrix at a place among the leaves of the arguments is, and stays.

    `is_definite` says that all of its eigenvalues, or of the entries on its diagonal where it is
    triangular, are positive.
    """

    place: int
    kind: str
    is_definite: bool

    def projected(self, leaves: Sequence[Any]) -> list[Any]:
        """The leaves with the nearest matrix of this kind: the same one, where it is of it."""
        changed = list(leaves)
        changed[self.place] = _nearest(leaves[self.place], self.kind)
        return changed

    def admits(self, leaves: Sequence[Any]) -> bool:
        """Whether what the Function gets is of this kind, and definite where it was so."""
        x = leaves[self.place]
        if not isinstance(x, Tensor) or x.dim() < 2 or x.shape[-1] != x.shape[-2]:
            return False
        return not self.is_definite or _is_definite(_nearest(x, self.kind), self.kind)


def structures_of(call: KeptCall) -> Iterator[Structure]:
    """Of the matrices that are differentiated: not of such as 0, 1 and the identity, which chance
    makes symmetric."""
    for place, (x, needs) in enumerate(zip(call.leaves, call.requires_grad, strict=True)):
        if needs and (kind := _kind(x)):
            yield Structure(place, kind, _is_definite(x, kind))


def told(structures: Sequence[Structure], names: Sequence[str]) -> str:
    """What is said of a gradient that is right where the matrices stay what they are alone."""
    which = [f"{names[each.place]} {each.kind}" for each in structures]
    kinds = " and ".join(dict.fromkeys(each.kind for each in structures))
    return (
        f"the program gives {', '.join(which)}: the gradient is right along {kinds} changes, and "
        "not entry by entry"
    )


def _kind(x: Tensor) -> str:
    if not is_differentiable(x) or x.layout is not torch.strided:
        return ""
    if x.dim() < 2 or x.shape[-1] != x.shape[-2] or x.shape[-1] < 2 or not x.numel():
        return ""
    beside = x - torch.diag_embed(x.diagonal(dim1=-2, dim2=-1))
    values = beside[beside != 0]
    if x.shape[-1] > 2 and bool((values == values[:1]).all()):
        return ""
    if bool((torch.view_as_real(values) if x.is_complex() else values).frac().eq(0).all()):
        return ""
    if torch.equal(x, x.mH):
        return SYMMETRIC
    if x.shape[-1] == 2:  # one zero is no sign
        return ""
    if torch.equal(x, x.tril()):
        return LOWER
    return UPPER if torch.equal(x, x.triu()) else ""


def _nearest(x: Tensor, kind: str) -> Tensor:
    if kind == SYMMETRIC:
        return (x + x.mH) / 2
    return x.tril() if kind == LOWER else x.triu()


def _is_definite(x: Tensor, kind: str) -> bool:
    if kind == SYMMETRIC:
        x = x.detach().to(torch.complex128 if x.is_complex() else torch.float64)
        return bool((torch.linalg.cholesky_ex(x).info == 0).all())
    return not x.is_complex() and bool((x.diagonal(dim1=-2, dim2=-1) > 0).all())
