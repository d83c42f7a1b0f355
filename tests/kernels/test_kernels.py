"""Kernels that people run: the right ones are not accused, and a planted error is caught and named.

The seeds are judged at their own inputs. Probes and variations of the inputs take minutes in the
interpreter: `python -m tests.kernels.measure` tries them too.
"""

import pytest
import torch

from tests.kernels.judged import Trial, judged
from tests.kernels.kernel import Kernel
from tests.kernels.packages import each_kernel, kernels_of
from tests.kernels.planted import names, planted, with_error
from torchref import crosscheck

SEEDS = range(5)
COLUMNS = 9


@pytest.mark.parametrize(("kernel", "dtype"), each_kernel())
def test_a_right_kernel_is_not_accused(kernel: Kernel, dtype: torch.dtype) -> None:
    reports = judged(kernel, dtype, [Trial(seed) for seed in SEEDS])
    accused = [f"seed {report.seed}\n{report}" for report in reports if report.verdict != "right"]
    assert not accused, "\n".join(accused)


@pytest.mark.parametrize(("kernel", "dtype"), each_kernel())
def test_a_planted_error_is_caught_and_its_argument_named(
    kernel: Kernel, dtype: torch.dtype
) -> None:
    tried = planted(kernel, dtype)
    functions = [with_error(kernel, argument, error, dtype) for argument, error in tried]
    reports = judged(kernel, dtype, [Trial(function=function) for function in functions])
    missed = [
        f"{argument}, {error}\n{report}"
        for (argument, error), report in zip(tried, reports, strict=True)
        if report.verdict != "wrong" or not names(report, argument)
    ]
    assert not missed, "\n".join(missed)


def test_a_size_that_the_call_of_a_kernel_writes_down_is_not_varied() -> None:
    """A kernel checks no bounds: told of nine columns it reads nine, and ends the process."""
    (kernel,) = (each for each in kernels_of("handwritten") if each.name == "handwritten.softmax")
    apply, columns = kernel.function.apply, COLUMNS

    def of_nine_columns(x: torch.Tensor) -> torch.Tensor:
        return apply(x.reshape(-1, columns)).reshape(x.shape)

    inputs = kernel.drawn(torch.float32, 0)
    report = crosscheck(of_nine_columns, kernel.reference, inputs, vary=("sizes", "ranks"))
    assert report.verdict == "right", str(report)
    assert any("variations of sizes and indices left out" in note for note in report.notes)
