"""What is particular to softmax and cross-entropy; the catalogue's tests hold for them too."""

import pytest
import torch

from torchref.ops import LogSoftmax, Softmax, SoftmaxCrossEntropy


def normal(seed: int, *shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def test_a_softmax_sums_to_one_whatever_comes_in() -> None:
    x = (100 * normal(0, 5, 3)).requires_grad_()
    y = Softmax.call(x)
    torch.testing.assert_close(y.sum(-1), torch.ones(5, dtype=torch.float64))
    (grad_x,) = torch.autograd.grad(y.sum(), x)
    assert grad_x.abs().max() < 1e-15


@pytest.mark.parametrize("op", [Softmax, LogSoftmax])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_no_logit_overflows(op: type, dtype: torch.dtype) -> None:
    x = torch.tensor([[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4]], dtype=dtype, requires_grad=True)
    y = op.call(x)
    assert y.isfinite().all()
    (grad_x,) = torch.autograd.grad(y, x, torch.ones_like(y))
    assert grad_x.isfinite().all()


def test_the_gradient_is_probability_minus_label() -> None:
    x, target = normal(0, 5, 3).requires_grad_(), torch.eye(3, dtype=torch.float64)[[0, 2, 1, 1, 0]]
    (grad_x,) = torch.autograd.grad(SoftmaxCrossEntropy.call(x, target).sum(), x)
    torch.testing.assert_close(grad_x, torch.softmax(x, -1) - target, rtol=1e-14, atol=1e-15)


def test_two_classes_are_the_log_loss_of_one_logit() -> None:
    z, label = normal(1, 7), torch.tensor([0, 1, 1, 0, 1, 0, 0])
    logits = torch.stack([torch.zeros_like(z), z], dim=-1)
    mine = SoftmaxCrossEntropy.call(logits, torch.eye(2, dtype=torch.float64)[label])
    torch.testing.assert_close(
        mine,
        torch.nn.functional.binary_cross_entropy_with_logits(z, label.double(), reduction="none"),
    )
