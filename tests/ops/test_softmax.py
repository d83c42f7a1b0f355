"""What is particular to softmax and cross-entropy; the catalogue's tests hold for them too."""

import pytest
import torch

from tests.ops.catalogue_cases import TORCH_SCRIPTS_ITS_JVP
from tests.random_inputs import seeded
from torchref.catalogue.entry import normal
from torchref.ops import LogSoftmax, Softmax, SoftmaxCrossEntropy


def test_a_softmax_sums_to_one_whatever_comes_in() -> None:
    x = (100 * normal(seeded(0), 5, 3)).requires_grad_()
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
    x, target = (
        normal(seeded(0), 5, 3).requires_grad_(),
        torch.eye(3, dtype=torch.float64)[[0, 2, 1, 1, 0]],
    )
    (grad_x,) = torch.autograd.grad(SoftmaxCrossEntropy.call(x, target).sum(), x)
    torch.testing.assert_close(grad_x, torch.softmax(x, -1) - target, rtol=1e-14, atol=1e-15)


def test_two_classes_are_the_log_loss_of_one_logit() -> None:
    z, label = normal(seeded(1), 7), torch.tensor([0, 1, 1, 0, 1, 0, 0])
    logits = torch.stack([torch.zeros_like(z), z], dim=-1)
    mine = SoftmaxCrossEntropy.call(logits, torch.eye(2, dtype=torch.float64)[label])
    torch.testing.assert_close(
        mine,
        torch.nn.functional.binary_cross_entropy_with_logits(z, label.double(), reduction="none"),
    )


@pytest.mark.filterwarnings(TORCH_SCRIPTS_ITS_JVP)
def test_a_class_that_is_ruled_out_takes_no_part() -> None:
    """0 · ln 0 is 0: value, both gradients and the tangent are those without the class."""
    x, target = normal(seeded(2), 3), torch.tensor([0.25, 0.75, 0.0], dtype=torch.float64)
    possible, ruled_out = x[:2], torch.cat([x[:2], torch.tensor([-torch.inf])])

    def loss(x: torch.Tensor) -> torch.Tensor:
        return SoftmaxCrossEntropy.call(x, target[: len(x)])

    alone, slope = torch.func.jvp(loss, (possible,), (torch.ones(2).double(),))
    beside, same_slope = torch.func.jvp(loss, (ruled_out,), (torch.ones(3).double(),))
    torch.testing.assert_close((beside, same_slope), (alone, slope), rtol=1e-14, atol=1e-15)
    gradient = torch.func.grad(loss)(ruled_out)
    torch.testing.assert_close(gradient[:2], torch.func.grad(loss)(possible), rtol=1e-14, atol=0)
    assert gradient[2] == 0
