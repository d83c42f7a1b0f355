"""Exact, close or different: by how much, and where."""

import math

import pytest
import torch

from tests.checker.comparison.compared import network, verdicts
from tests.checker.given import causes, normal
from torchref import compare
from torchref.checker.execution.arithmetic import held_in_16_bits


def test_the_same_numbers_are_exact() -> None:
    comparison = compare(network(), {name: x.clone() for name, x in network().items()})
    assert comparison.verdict == "exact"
    assert comparison.findings == ()
    assert set(verdicts(comparison).values()) == {"exact"}
    comparison.raise_if_different()


def test_single_precision_that_double_holds_exactly_is_exact() -> None:
    single = normal(4, 3).float()
    assert compare([single], [single.double()]).verdict == "exact"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("seed", range(5))
def test_rounded_to_a_coarser_dtype_is_close(dtype: torch.dtype, seed: int) -> None:
    true = normal(20, 30, seed=seed)
    assert compare([true.to(dtype)], [true]).verdict == "close"
    assert compare([true], [true.to(dtype)]).verdict == "close"


@pytest.mark.parametrize(
    ("dtype", "error"),
    [
        (torch.float64, 1e-12),
        (torch.float32, 1e-4),
        (torch.float16, 2e-2),
        (torch.bfloat16, 2e-1),
    ],
)
def test_one_entry_off_by_more_than_rounding_is_different(dtype: torch.dtype, error: float) -> None:
    true = normal(20, 30)
    manual = true.clone()
    manual[7, 11] += error * max(1.0, float(true[7, 11].abs()))
    (row,) = compare([manual.to(dtype)], [true]).rows
    assert row.verdict == "different"
    assert row.element == (7, 11)
    assert row.manual == manual.to(dtype)[7, 11].item()
    assert row.reference == true[7, 11].item()


def test_single_precision_held_in_double_is_close() -> None:
    true = normal(20, 30)
    (row,) = compare([true.float().double()], [true]).rows
    assert row.verdict == "close"
    assert "holds single precision" in row.note


def test_whole_numbers_in_double_are_not_taken_for_single_precision() -> None:
    manual = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    assert compare([manual], [manual + 1e-8]).verdict == "different"


def test_an_entry_of_another_size_is_held_to_the_typical_entry() -> None:
    true = normal(100)
    true[3] = 1e-20
    manual = true.clone()
    manual[3] = 2e-20
    assert compare([manual], [true]).verdict == "close"


def test_differences_are_told_with_their_place() -> None:
    true = torch.full((3, 4), 2.0, dtype=torch.float64)
    manual = true.clone()
    manual[1, 2] = 3.0
    (row,) = compare([manual], [true]).rows
    assert (row.absolute, row.relative, row.element) == (1.0, 0.5, (1, 2))
    assert "at [1, 2]: 3 in place of 2" in str(row)


def test_tolerance_is_relative_and_lets_finite_differences_pass() -> None:
    true = normal(6, 5)
    by_differences = true + 1e-9 * normal(6, 5, seed=1)
    strict = compare([true], [by_differences])
    assert causes(strict) == ["precision-loss"]
    assert "finite differences" in strict.rows[0].note
    assert compare([true], [by_differences], tolerance=1e-7).verdict == "close"
    assert compare([true], [1.01 * true], tolerance=1e-7).verdict == "different"


def test_a_gradient_that_is_0_up_to_rounding_is_close() -> None:
    noise, other_noise = 1e-17 * normal(8, seed=1), 1e-17 * normal(8, seed=2)
    comparison = compare([normal(5, 8), noise], [normal(5, 8), other_noise])
    assert verdicts(comparison) == {"[0]": "exact", "[1]": "close"}
    assert "rounding beside" in comparison.rows[1].note


def test_a_vanishing_gradient_is_not_taken_for_rounding() -> None:
    small = 1e-17 * normal(8, seed=1)
    assert compare([normal(5, 8), 2 * small], [normal(5, 8), small]).verdict == "different"
    assert compare([1e-17 * normal(8)], [small]).verdict == "different"


def test_no_entries_and_no_dimensions() -> None:
    empty = torch.zeros(0, 3)
    (row,) = compare([empty], [empty]).rows
    assert (row.verdict, row.absolute, row.element) == ("exact", 0.0, None)
    (row,) = compare([torch.tensor(2.0)], [torch.tensor(3.0)]).rows
    assert (row.verdict, row.absolute, row.element) == ("different", 1.0, ())


def test_nan_equals_nan_and_infinity_its_like() -> None:
    true = normal(3, 4)
    true[1, 1], true[2, 2] = math.nan, math.inf
    (row,) = compare([true.clone()], [true]).rows
    assert row.verdict == "exact"
    assert "2 of 12 entries NaN or infinite on both sides" in row.note
    opposite = true.clone()
    opposite[2, 2] = -math.inf
    assert compare([opposite], [true]).verdict == "different"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_numbers_of_16_bits_are_known_in_any_dtype(dtype: torch.dtype) -> None:
    x = normal(6, 5).to(dtype)
    assert held_in_16_bits(x)
    assert held_in_16_bits(x.double())
    assert not held_in_16_bits(normal(6, 5))
    assert not held_in_16_bits(normal(6, 5).float())


@pytest.mark.parametrize("steps", [torch.round, torch.sign, lambda x: (8 * x).round() / 8])
def test_a_rounding_to_steps_is_no_short_dtype(steps) -> None:
    assert not held_in_16_bits(steps(normal(6, 5)))
