"""What is left out of long vectors, products and tables, and that it is said."""

import pytest

from torchref.explainer.document.sections import (
    MOST_FACTORS,
    MOST_ROWS,
    MOST_VALUES,
    counted,
    listed,
    number,
    parenthesised,
    product,
    shortened,
    times,
)


def table(length: int) -> tuple[tuple[str, ...], ...]:
    return tuple((f"row {i}", str(i), "a", "b") for i in range(length))


@pytest.mark.parametrize("length", [0, 1, MOST_ROWS])
def test_a_table_that_fits_is_whole(length: int) -> None:
    assert shortened(table(length)) == table(length)


@pytest.mark.parametrize("length", [MOST_ROWS + 1, MOST_ROWS + 2, 5 * MOST_ROWS])
def test_a_long_table_says_how_many_rows_are_left_out(length: int) -> None:
    *first, gap = shortened(table(length))[: MOST_ROWS // 2 + 1]
    last = shortened(table(length))[MOST_ROWS // 2 + 1 :]
    assert (*first, *last) == (*table(length)[: MOST_ROWS // 2], *table(length)[-MOST_ROWS // 2 :])
    assert gap == ("…", f"{length - MOST_ROWS} more", "", "")


def test_a_long_vector_says_how_many_values_are_left_out() -> None:
    values = tuple(map(float, range(MOST_VALUES + 1)))
    assert listed(values[:-1]) == "0, 1, 2, 3, 4, 5, 6, 7"
    assert listed(values) == "0, 1, 2, … 6 more"


def test_a_long_product_keeps_both_ends() -> None:
    factors = [f"f{i}" for i in range(MOST_FACTORS + 1)]
    assert product(factors[:-1]) == " · ".join(factors[:-1])
    half = MOST_FACTORS // 2
    assert product(factors) == " · ".join([*factors[:half], "…", *factors[-half:]])


def test_a_number_with_hundreds_of_figures_is_a_power_of_ten() -> None:
    assert [counted(999), counted(10**6), counted(10**12)] == ["999", "1,000,000", "1.00e+12"]
    assert counted(57**299) == "1.02e+525"
    assert [times(3, 2), times(3 * 57**299, 2)] == ["1.5", "1.52e+525"]


def test_only_negative_numbers_stand_in_parentheses() -> None:
    assert [parenthesised(value) for value in (-0.5, 0.0, 0.5)] == ["(-0.5)", "0", "0.5"]
    assert [number(value) for value in (None, 1 / 3, 1e-9)] == ["", "0.333333", "1e-09"]
