"""Dropout beside torch's: its masks, its random numbers, vmap, and the cross-check."""

from functools import partial
from types import ModuleType

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, ones
from torch.func import vmap

import torchref.functional as R
from tests.functional.side_by_side import normal, value_and_gradients
from torchref import crosscheck

DROPOUTS: dict[str, tuple[Tensor, ...]] = {
    "dropout": (
        normal(0, 5, 7),
        normal(0, 7, 5).T,
        normal(0, 2, 4, 6)[..., ::2],
        normal(0),
        ones(0),
    ),
    "dropout1d": (normal(0, 5, 6, 4), normal(0, 6, 4), normal(0, 6, 4, 5).movedim(0, -1)),
    "dropout2d": (normal(0, 5, 6, 4, 3), normal(0, 4, 3, 5, 6).movedim(0, -1)),
    "dropout3d": (normal(0, 5, 6, 4, 3, 2), normal(0, 6, 4, 3, 2)),
}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("name", DROPOUTS)
def test_the_same_seed_leaves_the_same_out_bit_for_bit(
    name: str, p: float, dtype: torch.dtype
) -> None:
    for x in DROPOUTS[name]:
        for training in (True, False):
            mine, torchs = (
                value_and_gradients(getattr(library, name), x.to(dtype), p=p, training=training)
                for library in (R, F)
            )
            for one, its in zip(mine, torchs, strict=True):
                assert torch.equal(one, its)


@pytest.mark.parametrize("p", [0.3, 1.0])
def test_random_numbers_go_on_where_torchs_would(p: float) -> None:
    torch.manual_seed(0)
    R.dropout(ones(5), p)
    after = torch.rand(3)
    torch.manual_seed(0)
    F.dropout(ones(5), p)
    assert torch.equal(after, torch.rand(3))


@pytest.mark.parametrize("randomness", ["different", "same"])
@pytest.mark.parametrize("batched", [True, False])
def test_under_vmap_torchs_randomness_decides(randomness: str, batched: bool) -> None:
    def drawn(library: ModuleType) -> Tensor:
        def one(x: Tensor) -> Tensor:
            return library.dropout(x if batched else ones(8)) * x

        torch.manual_seed(0)
        return vmap(one, randomness=randomness)(1 + torch.arange(24.0).reshape(3, 8))

    assert torch.equal(drawn(R), drawn(F))


def test_under_vmap_randomness_has_to_be_chosen() -> None:
    with pytest.raises(RuntimeError, match="randomness"):
        vmap(R.dropout)(ones(3, 4))


def test_what_is_left_out_leaves_no_nan() -> None:
    """torch multiplies by 0."""
    torch.manual_seed(0)
    x = torch.full((20,), torch.inf).requires_grad_()
    y = R.dropout(x)
    (grad_x,) = torch.autograd.grad(y, x, torch.full_like(y, torch.inf))
    for result in (y, grad_x):
        assert set(result.tolist()) == {0.0, torch.inf}


@pytest.mark.parametrize("name", ["dropout", "dropout2d"])
def test_the_cross_check_finds_it_right(name: str) -> None:
    x = normal(0, 4, 3, 2, 5)
    mine, torchs = (partial(getattr(library, name), p=0.4) for library in (R, F))
    assert crosscheck(mine, torchs, (x,), order=2, vary=False).verdict == "right"


class AnotherMask(torch.autograd.Function):
    """Drawn anew in the backward."""

    @staticmethod
    def forward(ctx, x):  # noqa: ARG004  # torch passes a ctx
        return F.dropout(x, 0.4)

    @staticmethod
    def backward(ctx, grad_y):  # noqa: ARG004  # torch passes a ctx
        return F.dropout(grad_y, 0.4)


def test_and_a_backward_with_another_mask_wrong() -> None:
    report = crosscheck(AnotherMask, partial(F.dropout, p=0.4), (normal(0, 6, 5),), vary=False)
    assert report.verdict == "wrong"
