"""float32 and bfloat16: the dtype stays, and the error is that of a twin in the same dtype."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.ops.catalogue_cases import (
    DEVICES,
    SAMPLES,
    Case,
    gradients,
    has_a_twin_in,
    on_each,
    tensors,
)
from tests.ops.closeness import assert_as_good_as_twin
from torchref.catalogue import CATALOGUE, Inputs
from torchref.ops import NLL, Op, PReLU
from torchref.testing.low_precision import low_precision_error

FLOOR = 1.01  # roundings: the twin's may be none by chance


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
    if not has_a_twin_in(dtype, case.entry.name):
        pytest.skip(f"torch factorises no matrix in {dtype}: there is no twin")
    for seed in range(5):
        inputs = case.inputs(seed, device)
        assert_low_precision_is_as_good(case.entry.op.call, case.entry.twin, inputs, dtype)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("op", CATALOGUE)
def test_16_bits_lose_at_most_twice_what_the_twin_loses(op: str, dtype: torch.dtype) -> None:
    errors = [low_precision_error(CATALOGUE[op], dtype, seed=seed) for seed in range(5)]
    told = [each for each in errors if each is not None]
    assert len(told) == (len(errors) if has_a_twin_in(dtype, op) else 0)
    if told:
        assert max(each.op for each in told) <= max(2 * max(each.twin for each in told), FLOOR)


def test_an_op_that_rounds_at_each_step_is_seen() -> None:
    class Rough(NLL):
        call = Op.__dict__["call"]

    case = replace(CATALOGUE["NLL"], op=Rough)
    errors = [low_precision_error(case, torch.bfloat16, seed=seed) for seed in range(5)]
    assert max(e.op for e in errors if e) > 2 * max(e.twin for e in errors if e)


def test_inputs_of_two_dtypes_are_left_as_they_are() -> None:
    x, weight = torch.randn(3, 4).bfloat16(), torch.randn(4)
    assert PReLU.call(x, weight).dtype == torch.float32
    assert PReLU.call(x, weight.bfloat16()).dtype == torch.bfloat16
