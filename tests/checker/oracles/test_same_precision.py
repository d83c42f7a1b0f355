"""Kernels that compute in float32 are judged in it: no rounding is called a mistake."""

import pytest
import torch

from tests.checker.given.native_kernels import (
    KERNELS,
    MISTAKES,
    MISTAKES_IN_16_BITS,
    Kernel,
    Mistake,
)
from tests.checker.given.runs import run_of
from tests.checker.given.verdicts import assert_right, assert_wrong
from tests.random_inputs import seeded
from torchref.checker.probes.repetition import fresh_repeats


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_a_right_kernel_is_right(kernel: Kernel, seed: int) -> None:
    inputs = kernel.inputs(seeded(seed))
    report = assert_right(kernel.function(), kernel.reference, inputs, seed=seed)
    assert any(note.startswith("checked in ") for note in report.notes)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_a_right_kernel_is_right_where_one_argument_alone_is_asked_for(
    kernel: Kernel, seed: int
) -> None:
    """What rounds in it comes from the others too."""
    inputs = kernel.inputs(seeded(seed))
    for place in range(len(inputs)):
        wrt = (f"inputs[{place}]",)
        assert_right(kernel.function(), kernel.reference, inputs, wrt=wrt, seed=seed)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__)
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_a_mistake_in_it_is_caught(kernel: Kernel, mistake: Mistake) -> None:
    inputs = kernel.inputs(seeded(0))
    report = assert_wrong(kernel.function(mistake), kernel.reference, inputs)
    assert report.findings[0].argument is not None
    assert report.findings[0].argument.startswith("inputs[0]")


SIXTEEN = pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)


@SIXTEEN
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_a_right_kernel_is_right_in_16_bits(kernel: Kernel, seed: int, dtype) -> None:
    inputs = [x.to(dtype) for x in kernel.inputs(seeded(seed))]
    report = assert_right(kernel.function(), kernel.reference, inputs, seed=seed)
    assert any("the dtype of the inputs" in note for note in report.notes)


@SIXTEEN
@pytest.mark.parametrize("mistake", MISTAKES_IN_16_BITS, ids=lambda mistake: mistake.__name__)
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_a_mistake_in_16_bits_is_caught(kernel: Kernel, mistake: Mistake, dtype) -> None:
    inputs = [x.to(dtype) for x in kernel.inputs(seeded(0))]
    report = assert_wrong(kernel.function(mistake), kernel.reference, inputs)
    assert (report.findings[0].argument or "").startswith("inputs[0]")


class Wide(torch.autograd.Function):
    """A right kernel of 16 bits, in which one probe plants an error of 5 %."""

    fault = staticmethod(lambda ctx, grad_y: False)

    @staticmethod
    def forward(ctx, x, weight):
        ctx.save_for_backward(x, weight)
        return (x.float() * weight.float()).to(x.dtype)

    @classmethod
    def backward_of(cls, ctx, grad_y):
        x, weight = ctx.saved_tensors
        grad_x = grad_y.float() * weight.float()
        grad_x = 1.05 * grad_x if cls.fault(ctx, grad_y) else grad_x
        return grad_x.to(x.dtype), (grad_y.float() * x.float()).sum(0).to(x.dtype)


def planted(fault):
    class Planted(Wide):
        calls = 0

        @staticmethod
        def backward(ctx, grad_y):
            Planted.calls += 1
            return Planted.backward_of(ctx, grad_y)

    Planted.fault = staticmethod(lambda ctx, grad_y: fault(Planted, ctx, grad_y))
    return Planted


@pytest.mark.parametrize(
    ("fault", "causes"),
    [
        (lambda _, ctx, grad_y: not grad_y.is_contiguous(), {"layout-dependent"}),
        (lambda _, ctx, grad_y: not ctx.needs_input_grad[1], {"depends-on-requires-grad"}),
    ],
    ids=["layout", "subset"],
)
def test_probes_can_fail_in_16_bits(fault, causes: set[str]) -> None:
    inputs = torch.randn(5, 20).bfloat16(), torch.randn(20).bfloat16()

    def reference(x, weight):
        return x * weight

    assert_right(planted(lambda *_: False), reference, inputs)
    report = assert_wrong(planted(fault), reference, inputs)
    assert causes & {finding.cause for finding in report.findings}, str(report)


@pytest.mark.parametrize("call", [3, 7])
def test_one_repetition_may_fail_in_16_bits(call: int) -> None:
    candidate = planted(lambda cls, *_: cls.calls == call)
    inputs = torch.randn(5, 20).bfloat16(), torch.randn(20).bfloat16()
    run = run_of(candidate, lambda x, weight: x * weight, *inputs)
    assert [finding.argument for finding in fresh_repeats(run).findings] == ["x"]
