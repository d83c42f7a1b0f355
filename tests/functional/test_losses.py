"""Losses against torch in every reduction, with every kind of weight, for every rank."""

from collections.abc import Callable
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import torchref.functional as R
from tests.functional.side_by_side import assert_same, chance, normal, value_and_gradients

DEVICES = ("cpu", pytest.param("cuda", marks=pytest.mark.cuda))
REDUCTIONS = ("mean", "sum", "none")
SHAPES = ((5, 3), (4,), (), (2, 3, 4), (0, 3))
WEIGHTS_OF_5_3 = (None, (5, 3), (3,), (5, 1), (1, 3), (1,), ())


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(
    ("name", "draw"),
    [
        ("binary_cross_entropy", chance),
        ("binary_cross_entropy_with_logits", normal),
        ("mse_loss", normal),
    ],
)
def test_loss_equals_torchs(
    name: str, draw: Callable[..., Tensor], shape: tuple[int, ...], reduction: str, device: str
) -> None:
    for seed in range(3):
        pair = draw(seed, *shape).to(device), chance(10 + seed, *shape).to(device)
        mine = value_and_gradients(getattr(R, name), *pair, reduction=reduction)
        torchs = value_and_gradients(getattr(F, name), *pair, reduction=reduction)
        assert_same(mine, torchs)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weight", WEIGHTS_OF_5_3, ids=str)
def test_weighted_binary_cross_entropy_equals_torchs(
    weight: tuple[int, ...] | None, reduction: str
) -> None:
    arguments = chance(0, 5, 3), chance(1, 5, 3)
    options = {"reduction": reduction, "weight": None if weight is None else chance(2, *weight)}
    assert_same(
        value_and_gradients(R.binary_cross_entropy, *arguments, **options),
        value_and_gradients(F.binary_cross_entropy, *arguments, **options),
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(
    ("weight", "pos_weight"), tuple(product(WEIGHTS_OF_5_3, (None, (3,), (5, 1), ()))), ids=str
)
def test_weighted_logits_equal_torchs(
    weight: tuple[int, ...] | None, pos_weight: tuple[int, ...] | None, reduction: str
) -> None:
    arguments = normal(0, 5, 3), chance(1, 5, 3)
    options = {
        "reduction": reduction,
        "weight": None if weight is None else chance(2, *weight),
        "pos_weight": None if pos_weight is None else 3 * chance(3, *pos_weight),
    }
    name = "binary_cross_entropy_with_logits"
    assert_same(
        value_and_gradients(getattr(R, name), *arguments, **options),
        value_and_gradients(getattr(F, name), *arguments, **options),
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_weighted_mse_loss_equals_torchs_in_every_argument(reduction: str) -> None:
    """torch divides the weighted mean by the weights' sum, and only here."""
    arguments = normal(0, 5, 3), normal(1, 5, 3), None, None, reduction, chance(2, 5, 3)
    assert_same(
        value_and_gradients(R.mse_loss, *arguments), value_and_gradients(F.mse_loss, *arguments)
    )


@pytest.mark.parametrize("weight", [(5, 3), (3,), (5, 1), ()], ids=str)
@pytest.mark.parametrize("name", ["binary_cross_entropy", "binary_cross_entropy_with_logits"])
def test_the_weights_get_gradients_which_torchs_do_not(name: str, weight: tuple[int, ...]) -> None:
    x, target, w = chance(0, 5, 3), chance(1, 5, 3), chance(2, *weight)

    def weighted(x: Tensor, target: Tensor, w: Tensor) -> Tensor:
        return (getattr(F, name)(x, target, reduction="none") * w).mean()

    assert_same(
        value_and_gradients(getattr(R, name), x, target, w),
        value_and_gradients(weighted, x, target, w),
    )


@pytest.mark.parametrize("pos_weight", [(5, 3), (3,), ()], ids=str)
def test_pos_weight_gets_a_gradient(pos_weight: tuple[int, ...]) -> None:
    def mine(x: Tensor, target: Tensor, p: Tensor) -> Tensor:
        return R.binary_cross_entropy_with_logits(x, target, pos_weight=p)

    def formula(x: Tensor, target: Tensor, p: Tensor) -> Tensor:
        return (-p * target * F.logsigmoid(x) - (1 - target) * F.logsigmoid(-x)).mean()

    arguments = normal(0, 5, 3), chance(1, 5, 3), 3 * chance(2, *pos_weight)
    assert_same(value_and_gradients(mine, *arguments), value_and_gradients(formula, *arguments))


@pytest.mark.parametrize(
    ("reduction", "divisor"),
    [("sum", 1), ("half_sum", 2), ("mean", 15), ("half_mean", 30), ("none", 1)],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_squared_error_in_the_lectures_conventions(
    reduction: str, divisor: int, weighted: bool
) -> None:
    x, target, weight = normal(0, 5, 3), normal(1, 5, 3), chance(2, 3) if weighted else None

    def formula(x: Tensor, target: Tensor) -> Tensor:
        squares = (x - target) ** 2 * (1 if weight is None else weight)
        return squares if reduction == "none" else squares.sum() / divisor

    mine = value_and_gradients(R.squared_error, x, target, reduction=reduction, weight=weight)
    assert_same(mine, value_and_gradients(formula, x, target))


def test_squared_error_is_a_plain_sum_unless_told_otherwise() -> None:
    x, target = normal(0, 5, 3), normal(1, 5, 3)
    assert torch.equal(R.squared_error(x, target), R.squared_error(x, target, "sum"))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    "name", ["binary_cross_entropy", "binary_cross_entropy_with_logits", "mse_loss"]
)
def test_a_loss_keeps_the_dtype_of_its_inputs(name: str, dtype: torch.dtype) -> None:
    y, *grads = value_and_gradients(
        getattr(R, name), chance(0, 5, 3).to(dtype), chance(1, 5, 3).to(dtype)
    )
    assert {y.dtype, *(g.dtype for g in grads)} == {dtype}
