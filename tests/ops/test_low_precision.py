"""float32 and bfloat16: the dtype stays, and the error is that of a twin in the same dtype."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.ops.catalogue_cases import DEVICES, SAMPLES, Case, gradients, on_each, tensors
from tests.ops.closeness import assert_as_good_as_twin
from torchref.catalogue import Inputs


def largest_term(inputs: Inputs) -> float:
    """Terms of a value or gradient are products of at most two inputs and a cotangent."""
    return max([1.0, *(x.abs().max().item() ** 2 for x in tensors(inputs) if x.numel())])


def assert_low_precision_is_as_good(
    op: Callable[..., Any], twin: Callable[..., Any], inputs: Inputs, dtype: torch.dtype
) -> None:
    """Value and gradients; the truth is the twin in float64 on the very same rounded inputs."""
    low = on_each(lambda x: x.to(dtype), inputs)
    y, mine = gradients(op, low)
    twin_y, twins = gradients(twin, low)
    true_y, truth = gradients(twin, on_each(lambda x: x.double(), low))
    term = largest_term(low)
    for one, its, true in zip((y, *mine), (twin_y, *twins), (true_y, *truth), strict=True):
        assert one.dtype == dtype
        assert_as_good_as_twin(one, its, true, term)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("case", SAMPLES, ids=str)
def test_low_precision_is_as_good_as_the_twins(case: Case, dtype: torch.dtype, device: str) -> None:
    for seed in range(5):
        inputs = on_each(lambda x: x.to(device), case.inputs(seed))
        assert_low_precision_is_as_good(case.entry.op.call, case.entry.twin, inputs, dtype)
