"""The divisors of the conventions, and what is saved for them."""

import pytest
import torch

from torchref.ops import REDUCTIONS, Reduction

SIX = (1.0, 2.0, 3.0, 4.0, 5.0, 9.0)
DIVISORS = {"sum": 1, "mean": 6, "half_sum": 2, "half_mean": 12}


def test_the_conventions_are_these() -> None:
    assert set(REDUCTIONS) == {"none", *DIVISORS}


@pytest.mark.parametrize(("reduction", "divisor"), DIVISORS.items())
def test_value_and_gradient_are_divided_alike(reduction: str, divisor: int) -> None:
    x = torch.tensor(SIX, dtype=torch.float64).reshape(2, 3).requires_grad_()
    y = Reduction.call(x, None, reduction)
    (grad_x,) = torch.autograd.grad(y, x)
    assert y.item() == 24 / divisor
    assert torch.equal(grad_x, torch.full_like(x, 1 / divisor))


def test_without_a_weight_nothing_but_the_shape_is_kept() -> None:
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(saved.append, lambda x: x):
        Reduction.call(torch.ones(6, requires_grad=True), None, "mean")
    assert saved == []


def test_a_result_of_none_is_not_its_input() -> None:
    x = torch.ones(3, requires_grad=True)
    y = Reduction.call(x, None, "none")
    assert y.data_ptr() != x.data_ptr()


@pytest.mark.parametrize("reduction", ["mean", "half_mean"])
def test_the_mean_of_nothing_is_nan_as_torchs(reduction: str) -> None:
    x = torch.empty(0, 3, requires_grad=True)
    y = Reduction.call(x, None, reduction)
    assert y.isnan()
    assert torch.autograd.grad(y, x)[0].shape == (0, 3)
