"""Sigmoid, softplus and squared error where floating point ends, entry by entry."""

import pytest
import torch
import torch.nn.functional as F

from tests.ops.catalogue_cases import TORCH_SCRIPTS_ITS_JVP
from torchref.ops import ReLU, Sigmoid, SquaredError
from torchref.ops.activations.sigmoid import softplus

EXTREMES = (0.0, 1e-30, 17.0, 40.0, 88.0, 89.0, 104.0, 710.0, 1e4, 1e30, float("inf"))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("op", [Sigmoid.call, softplus])
def test_extreme_inputs_give_neither_nan_nor_a_wrong_slope(op, dtype: torch.dtype) -> None:
    x = torch.tensor([*EXTREMES, *(-x for x in EXTREMES)], dtype=dtype, requires_grad=True)
    y = op(x)
    (grad_x,) = torch.autograd.grad(y.sum(), x)
    wide = x.detach().double()
    probability = torch.sigmoid(wide)
    value, slope = {
        Sigmoid.call: (probability, probability * torch.sigmoid(-wide)),
        softplus: (torch.logaddexp(wide, torch.zeros_like(wide)), probability),
    }[op]
    # σ (1 − σ) loses what 1 − σ loses: its error is one rounding of 1, not of the slope.
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(y.double(), value, rtol=4 * eps, atol=torch.finfo(dtype).tiny)
    torch.testing.assert_close(grad_x.double(), slope, rtol=4 * eps, atol=2 * eps)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_small_side_of_the_sigmoid_keeps_its_digits(dtype: torch.dtype) -> None:
    """σ(x) = eˣ for very negative x: relative accuracy, though the value is tiny."""
    x = torch.tensor([-20.0, -50.0, -80.0], dtype=dtype, requires_grad=True)
    (grad_x,) = torch.autograd.grad(Sigmoid.call(x).sum(), x)
    expected = x.detach().double().exp()
    few_roundings = 4 * torch.finfo(dtype).eps
    # At −20 the next term of σ, e²ˣ, is 2e-9 of the first.
    torch.testing.assert_close(grad_x.double(), expected, rtol=few_roundings + 5e-9, atol=0)
    torch.testing.assert_close(softplus(x).double(), expected, rtol=few_roundings + 5e-9, atol=0)


def test_nan_stays_nan() -> None:
    x = torch.tensor([float("nan"), 0.0], dtype=torch.float64, requires_grad=True)
    for op in (Sigmoid.call, softplus):
        y = op(x)
        (grad_x,) = torch.autograd.grad(y.sum(), x)
        assert y.isnan().tolist() == grad_x.isnan().tolist() == [True, False]


@pytest.mark.filterwarnings(TORCH_SCRIPTS_ITS_JVP)
def test_relu_lets_nan_and_its_gradient_through_as_torchs() -> None:
    x, one = torch.tensor([float("nan"), 0.0, 2.0]).double(), torch.ones(3).double()
    for relu in (torch.relu, ReLU.call):
        y, dy = torch.func.jvp(relu, (x,), (one,))
        grad_x = torch.func.grad(lambda x, f=relu: f(x).sum())(x)
        assert y.isnan().tolist() == [True, False, False]
        assert grad_x.tolist() == dy.tolist() == [1.0, 0.0, 1.0]


def test_squared_error_is_symmetric_with_opposite_slopes() -> None:
    x = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64, requires_grad=True)
    target = torch.tensor([4.0, -2.0, 0.5], dtype=torch.float64, requires_grad=True)
    y = SquaredError.call(x, target)
    grad_x, grad_target = torch.autograd.grad(y.sum(), (x, target))
    assert y.tolist() == [9.0, 0.0, 6.25]
    assert grad_x.tolist() == [-6.0, 0.0, 5.0]
    assert torch.equal(grad_target, -grad_x)
    assert torch.equal(y, F.mse_loss(x, target, reduction="none"))
