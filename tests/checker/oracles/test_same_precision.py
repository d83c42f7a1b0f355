"""Kernels that compute in float32 are judged in it: no rounding is called a mistake."""

import pytest
import torch

from tests.checker.given import assert_right, assert_wrong, causes, run_of, seeded
from tests.checker.given.native_kernels import (
    KERNELS,
    MISTAKES,
    MISTAKES_IN_16_BITS,
    Kernel,
    Mistake,
)
from torchref.checker.probes.repetition import fresh_repeats

OF_SEVERAL = [kernel for kernel in KERNELS if len(kernel.inputs(seeded(0))) > 1]
EACH_KERNEL = pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)


@pytest.mark.parametrize("seed", range(5))
@EACH_KERNEL
def test_a_right_kernel_is_right(kernel: Kernel, seed: int) -> None:
    inputs = kernel.inputs(seeded(seed))
    report = assert_right(kernel.function(), kernel.reference, inputs, seed=seed)
    assert any(note.startswith("checked in ") for note in report.notes)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kernel", OF_SEVERAL, ids=lambda kernel: kernel.name)
def test_a_right_kernel_is_right_where_one_argument_alone_is_asked_for(kernel, seed: int) -> None:
    """What rounds in it comes from the others too."""
    inputs = kernel.inputs(seeded(seed))
    for place in range(len(inputs)):
        wrt = (f"inputs[{place}]",)
        assert_right(kernel.function(), kernel.reference, inputs, wrt=wrt, seed=seed)


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=list(MISTAKES))
@EACH_KERNEL
def test_a_mistake_in_it_is_caught(kernel: Kernel, mistake: Mistake) -> None:
    inputs = kernel.inputs(seeded(0))
    report = assert_wrong(kernel.function(mistake), kernel.reference, inputs)
    assert report.findings[0].argument is not None
    assert report.findings[0].argument.startswith("inputs[0]")


SIXTEEN = pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)


@SIXTEEN
@pytest.mark.parametrize("seed", range(2))
@EACH_KERNEL
def test_a_right_kernel_is_right_in_16_bits(kernel: Kernel, seed: int, dtype) -> None:
    inputs = [x.to(dtype) for x in kernel.inputs(seeded(seed))]
    report = assert_right(kernel.function(), kernel.reference, inputs, seed=seed)
    assert any("the dtype of the inputs" in note for note in report.notes)


@pytest.mark.slow
@SIXTEEN
@pytest.mark.parametrize("mistake", MISTAKES_IN_16_BITS.values(), ids=list(MISTAKES_IN_16_BITS))
@EACH_KERNEL
def test_a_mistake_in_16_bits_is_caught(kernel: Kernel, mistake: Mistake, dtype) -> None:
    inputs = [x.to(dtype) for x in kernel.inputs(seeded(0))]
    report = assert_wrong(kernel.function(mistake), kernel.reference, inputs)
    assert (report.findings[0].argument or "").startswith("inputs[0]")


def planted(fault):
    """A right kernel of 16 bits, with an error of 5 % where fault(calls so far, …) says so."""

    class Planted(torch.autograd.Function):
        calls = 0

        @staticmethod
        def forward(ctx, x, weight):
            ctx.save_for_backward(x, weight)
            return (x.float() * weight.float()).to(x.dtype)

        @staticmethod
        def backward(ctx, grad_y):
            Planted.calls += 1
            x, weight = ctx.saved_tensors
            factor = 1.05 if fault(Planted.calls, ctx, grad_y) else 1.0
            grad_x = factor * (grad_y.float() * weight.float())
            return grad_x.to(x.dtype), (grad_y.float() * x.float()).sum(0).to(x.dtype)

    return Planted


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (lambda _, ctx, grad_y: not grad_y.is_contiguous(), "layout-dependent"),
        (lambda _, ctx, grad_y: not ctx.needs_input_grad[1], "depends-on-requires-grad"),
    ],
    ids=["layout", "subset"],
)
def test_probes_can_fail_in_16_bits(fault, cause: str) -> None:
    inputs = torch.randn(5, 20).bfloat16(), torch.randn(20).bfloat16()
    assert_right(planted(lambda *_: False), torch.mul, inputs)
    report = assert_wrong(planted(fault), torch.mul, inputs)
    assert cause in causes(report), str(report)


@pytest.mark.parametrize("call", [3, 7])
def test_one_repetition_may_fail_in_16_bits(call: int) -> None:
    candidate = planted(lambda calls, *_: calls == call)
    inputs = torch.randn(5, 20).bfloat16(), torch.randn(20).bfloat16()
    run = run_of(candidate, torch.mul, *inputs)
    assert [finding.argument for finding in fresh_repeats(run).findings] == ["x"]
