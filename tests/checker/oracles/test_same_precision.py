"""Kernels that compute in float32 are judged in it: no rounding is called a mistake."""

import pytest
import torch

from tests.checker.given.native_kernels import KERNELS, MISTAKES, Kernel, Mistake
from tests.random_inputs import seeded
from torchref import crosscheck


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_a_right_kernel_is_right(kernel: Kernel, seed: int) -> None:
    inputs = kernel.inputs(seeded(seed))
    report = crosscheck(kernel.function(), kernel.reference, inputs, seed=seed)
    assert report.verdict == "right", str(report)
    assert any(note.startswith("checked in ") for note in report.notes)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__)
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_a_mistake_in_it_is_caught(kernel: Kernel, mistake: Mistake) -> None:
    inputs = kernel.inputs(seeded(0))
    report = crosscheck(kernel.function(mistake), kernel.reference, inputs)
    assert report.verdict == "wrong"
    assert report.findings[0].argument is not None
    assert report.findings[0].argument.startswith("inputs[0]")


def test_a_backward_alone_that_is_cast_loses_precision() -> None:
    """In float64 the forward has all its digits, so the candidate is judged in it."""

    class Cast(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.sin()

        @staticmethod
        def backward(ctx, grad_y):
            (x,) = ctx.saved_tensors
            return (grad_y.float() * x.float().cos()).double()

    report = crosscheck(Cast, torch.sin, (torch.rand(4, 3, generator=seeded(0)),))
    assert report.findings[0].cause == "precision-loss"
