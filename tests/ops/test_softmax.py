"""What is particular to softmax and cross-entropy; the catalogue's tests hold for them too."""

import pytest
import torch

from tests.ops.catalogue_cases import TORCH_SCRIPTS_ITS_JVP, planted
from tests.ops.test_first_order import assert_seen
from tests.random_inputs import seeded
from torchref.catalogue.entry import normal
from torchref.ops import (
    IndexCrossEntropy,
    LinearCrossEntropy,
    LogSoftmax,
    Softmax,
    SoftmaxCrossEntropy,
    Sparsemax,
)


def test_a_softmax_sums_to_one_whatever_comes_in() -> None:
    x = (100 * normal(seeded(0), 5, 3)).requires_grad_()
    y = Softmax.call(x, -1)
    torch.testing.assert_close(y.sum(-1), torch.ones(5, dtype=torch.float64))
    (grad_x,) = torch.autograd.grad(y.sum(), x)
    assert grad_x.abs().max() < 1e-15


@pytest.mark.parametrize("op", [Softmax, LogSoftmax])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_no_logit_overflows(op: type, dtype: torch.dtype) -> None:
    x = torch.tensor([[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4]], dtype=dtype, requires_grad=True)
    y = op.call(x, -1)
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


class SumForgotten(Softmax):
    """Each output is taken to depend on its own input alone: y (1 − y)."""

    @staticmethod
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        return grad_y * y * (1 - y), None


class TargetsSumToOne(SoftmaxCrossEntropy):
    """p − t, also for targets that do not sum to one."""

    @staticmethod
    def backward(ctx, grad_y):
        x, target = ctx.saved_tensors
        _, grad_target = SoftmaxCrossEntropy.backward(ctx, grad_y)
        return grad_y.unsqueeze(-1) * (x.softmax(-1) - target), grad_target


class SmoothingForgotten(IndexCrossEntropy):
    """p − 1 for the right class and p for the others, whatever is spread over all."""

    @staticmethod
    def backward(ctx, grad_y):
        ctx.options = ctx.options[0], 0.0
        return IndexCrossEntropy.backward(ctx, grad_y)


class IgnoredCounted(IndexCrossEntropy):
    @staticmethod
    def backward(ctx, grad_y):
        ctx.options = -1, ctx.options[1]
        return IndexCrossEntropy.backward(ctx, grad_y)


class MeanOverAll(Sparsemax):
    """The mean is taken over the whole row, and not over the support."""

    @staticmethod
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        inside = torch.where(y > 0, grad_y, 0)
        return torch.where(y > 0, grad_y - inside.mean(ctx.dim, keepdim=True), 0), None


class LastChunkLost(LinearCrossEntropy):
    """Of the weight's gradient what the last few rows send is not added."""

    @staticmethod
    def backward(ctx, grad_y):
        grad_x, _, *others = LinearCrossEntropy.backward(ctx, grad_y)
        most = (len(grad_y) - 1) // ctx.rows * ctx.rows
        cut = torch.where(torch.arange(len(grad_y)) < most, grad_y, 0)
        return grad_x, LinearCrossEntropy.backward(ctx, cut)[1], *others


PLANTED = (
    (SumForgotten, 0),
    (TargetsSumToOne, 0),
    (SmoothingForgotten, 1),
    (IgnoredCounted, 2),
    (MeanOverAll, 0),
    (LastChunkLost, 0),
)


@pytest.mark.parametrize(("op", "number"), PLANTED)
def test_the_mistakes_of_others_are_seen(op: type, number: int) -> None:
    assert_seen(planted(op, number=number))


@pytest.mark.parametrize("row", [[1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, -5.0]], ids=str)
def test_ties_of_a_sparsemax_share_alike(row: list[float]) -> None:
    """Equal entries get equal shares; one that is exactly the threshold is outside."""
    x = torch.tensor(row, dtype=torch.float64, requires_grad=True)
    y = Sparsemax.call(x, 0)
    expected = {(1.0, 1.0, 0.0): [0.5, 0.5, 0], (0.0, 0.0, 0.0): [1 / 3] * 3}
    torch.testing.assert_close(
        y, torch.tensor(expected.get(tuple(row), [1, 0, 0]), dtype=torch.float64)
    )
    (grad_x,) = torch.autograd.grad(y, x, torch.tensor([1.0, 2.0, 4.0]).double())
    inside = [value for value, share in zip([1.0, 2.0, 4.0], y, strict=True) if share > 0]
    mean = sum(inside) / len(inside)
    assert grad_x.tolist() == pytest.approx(
        [v - mean if share > 0 else 0 for v, share in zip([1.0, 2.0, 4.0], y, strict=True)]
    )
