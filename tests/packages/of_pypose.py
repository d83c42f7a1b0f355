"""pypose: Lie groups, whose gradients are those of the tangent space."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Draw, Shelf

pypose = pytest.importorskip("pypose", reason="pypose is not installed")
FUNCTIONS = Shelf("pypose")
FULL = "a tangent vector has as many numbers as its group says, and turns by less than π"


def with_points(draw: Draw, size: int) -> tuple[Tensor, Tensor]:
    return 0.7 * draw.normal(5, size), draw.normal(5, 3)


def skew(w: Tensor) -> Tensor:
    x, y, z = w.unbind(-1)
    o = torch.zeros_like(x)
    return torch.stack([o, -z, y, z, o, -x, -y, x, o], -1).unflatten(-1, (3, 3))


def turned(w: Tensor, p: Tensor) -> Tensor:
    return (torch.linalg.matrix_exp(skew(w)) @ p[..., None])[..., 0]


def moved(x: Tensor, p: Tensor) -> Tensor:
    top = torch.cat([skew(x[..., 3:6]), x[..., :3, None]], -1)
    matrix = torch.linalg.matrix_exp(torch.cat([top, torch.zeros_like(top[..., :1, :])], -2))
    return (matrix[..., :3, :3] @ p[..., None])[..., 0] + matrix[..., :3, 3]


def turns_less_than_half(first: int, size: int):
    def holds(x: Tensor, p: Tensor) -> bool:
        whole = x.shape[-1] == size and p.shape[-1] == 3 and x.shape[:-1] == p.shape[:-1]
        return whole and bool((x[..., first : first + 3].norm(dim=-1) < 3).all())

    return holds


@FUNCTIONS.holds(
    lambda draw: with_points(draw, 3), turned, domain=turns_less_than_half(0, 3), because=FULL
)
def turn_points(x: Tensor, p: Tensor) -> Tensor:
    return pypose.so3(x).Exp().Act(p)


@FUNCTIONS.holds(
    lambda draw: with_points(draw, 6), moved, domain=turns_less_than_half(3, 6), because=FULL
)
def move_points(x: Tensor, p: Tensor) -> Tensor:
    return pypose.se3(x).Exp().Act(p)


@FUNCTIONS.holds(lambda draw: with_points(draw, 4), domain=turns_less_than_half(0, 4), because=FULL)
def turn_and_scale_points(x: Tensor, p: Tensor) -> Tensor:
    return pypose.rxso3(x).Exp().Act(p)


@FUNCTIONS.holds(
    lambda draw: with_points(draw, 3),
    lambda x, p: turned(-x, turned(x / 2, p)),
    domain=turns_less_than_half(0, 3),
    because=FULL,
)
def turn_half_back(x: Tensor, p: Tensor) -> Tensor:
    return (pypose.so3(x).Exp().Inv() * pypose.so3(x / 2).Exp()).Act(p)


@FUNCTIONS.holds(lambda draw: with_points(draw, 3), domain=turns_less_than_half(0, 3), because=FULL)
def logarithm_of_two_turns(x: Tensor, p: Tensor) -> Tensor:
    return (pypose.so3(x).Exp() * pypose.so3(0.3 * p).Exp()).Log().tensor()
