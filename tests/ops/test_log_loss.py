"""The log loss at its edges: 0 and 1, small losses, logits of any size."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.ops.catalogue_cases import (
    DEVICES,
    TORCH_SCRIPTS_ITS_JVP,
)
from torchref.ops import (
    LogLoss,
    LogLossWithLogits,
    Sigmoid,
)

CERTAIN = (0.0, 0.0, 1.0, 1.0, 0.0, 1.0)
LABELS = (0.0, 1.0, 0.0, 1.0, 0.5, 0.25)


def twin(x: Tensor, target: Tensor) -> Tensor:
    return F.binary_cross_entropy(x, target, reduction="none")


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_at_0_and_1_value_and_slope_are_torchs(dtype: torch.dtype, device: str) -> None:
    x = torch.tensor(CERTAIN, dtype=dtype, device=device, requires_grad=True)
    target = torch.tensor(LABELS, dtype=dtype, device=device)
    y, twin_y = LogLoss.call(x, target), twin(x, target)
    assert torch.equal(y, twin_y)
    mine, twins = (torch.autograd.grad(each.sum(), x) for each in (y, twin_y))
    assert torch.equal(mine[0], twins[0])


@pytest.mark.filterwarnings(TORCH_SCRIPTS_ITS_JVP)
def test_at_0_and_1_the_tangent_has_the_slopes_of_the_backward() -> None:
    x, target = torch.tensor([CERTAIN, LABELS], dtype=torch.float64)
    for dx, dtarget in ((torch.ones(6), torch.zeros(6)), (torch.zeros(6), torch.ones(6))):
        _, dy = torch.func.jvp(LogLoss.call, (x, target), (dx.double(), dtarget.double()))
        grads = torch.func.grad(lambda *given: LogLoss.call(*given).sum(), (0, 1))(x, target)
        assert torch.equal(dy, grads[0] if dx.any() else grads[1])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_close_to_0_and_1_the_slope_is_torchs_entry_by_entry(dtype: torch.dtype) -> None:
    """Across x (1 − x) = 1e-12, where the convention begins."""
    near = torch.logspace(-20, -1, 39, dtype=dtype)
    x = torch.cat((near, 1 - near)).requires_grad_()
    target = torch.linspace(0, 1, x.numel(), dtype=dtype)
    mine, twins = (torch.autograd.grad(f(x, target).sum(), x)[0] for f in (LogLoss.call, twin))
    torch.testing.assert_close(mine, twins, rtol=4 * torch.finfo(dtype).eps, atol=0)


@pytest.mark.parametrize("label", [0.0, 1.0])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_small_loss_keeps_its_digits(dtype: torch.dtype, label: float) -> None:
    """−ln(1 − x) is x for a small x, where 1 − x has lost it."""
    near = torch.logspace(-20, -1, 39, dtype=dtype)
    x = near if label == 0 else 1 - near
    target = torch.full_like(x, label)
    few_roundings = 4 * torch.finfo(dtype).eps
    torch.testing.assert_close(LogLoss.call(x, target), twin(x, target), rtol=few_roundings, atol=0)


def test_at_0_and_1_the_slope_of_the_target_is_that_of_the_value() -> None:
    """y is linear in the target, with the slope ±100; torch's formula answers ±∞."""
    x = torch.tensor(CERTAIN, dtype=torch.float64)
    target = torch.tensor(LABELS, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(LogLoss.call(x, target).sum(), target)
    rise = LogLoss.call(x, torch.ones_like(x)) - LogLoss.call(x, torch.zeros_like(x))
    assert torch.equal(slope, rise)
    assert slope.tolist() == [100.0, 100.0, -100.0, -100.0, 100.0, -100.0]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("pos_weight", [None, 3.0])
def test_logits_of_any_size_are_finite_in_float32(pos_weight: float | None, device: str) -> None:
    magnitudes = torch.cat((torch.zeros(1), torch.logspace(-6, 4, 101)))
    x = torch.cat((magnitudes, -magnitudes)).to(device).requires_grad_()
    factor = None if pos_weight is None else torch.tensor(pos_weight, device=device)
    for label in (0.0, 0.25, 1.0):
        target = torch.full_like(x, label, requires_grad=True)
        y = LogLossWithLogits.call(x, target, factor)
        grad_x, grad_target = torch.autograd.grad(y.sum(), (x, target))
        wide = x.detach().double()
        positive = label * (pos_weight or 1.0)
        value = -positive * F.logsigmoid(wide) - (1 - label) * F.logsigmoid(-wide)
        slope = positive * (torch.sigmoid(wide) - 1) + (1 - label) * torch.sigmoid(wide)
        assert all(result.isfinite().all() for result in (y, grad_x, grad_target))
        torch.testing.assert_close(y.double(), value, rtol=1e-6, atol=1e-6)
        torch.testing.assert_close(grad_x.double(), slope, rtol=1e-6, atol=1e-6)


def test_the_gradient_of_logits_is_prediction_minus_target() -> None:
    """Lecture 000's cancellation, against the two ops that it joins."""
    x = torch.linspace(-5, 5, 11, dtype=torch.float64, requires_grad=True)
    target = torch.linspace(0, 1, 11, dtype=torch.float64)
    joined = LogLossWithLogits.call(x, target, None)
    apart = LogLoss.call(Sigmoid.call(x), target)
    torch.testing.assert_close(joined, apart, rtol=1e-12, atol=1e-12)
    (slope,) = torch.autograd.grad(joined.sum(), x)
    (slope_apart,) = torch.autograd.grad(apart.sum(), x)
    assert torch.equal(slope, (Sigmoid.call(x) - target).detach())
    torch.testing.assert_close(slope_apart, slope, rtol=1e-12, atol=1e-12)
