"""Evidence shows that two numbers differ, however little they do."""

import math
import re

import pytest
import torch

from tests.checker.given import assert_wrong, normal, of_x
from tests.corpora.wrong_ops.rule import Rule
from torchref import compare
from torchref.checker.execution.numbers import told_apart

NUMBER = re.compile(r"[-+]?\d+\.?\d*(?:e[-+]?\d+)?")


@pytest.mark.parametrize("value", [2.483611, -1e-30, 7e200, 1.0, 9.9999999, 0.1 + 0.2j])
@pytest.mark.parametrize("gap", [1e-1, 3e-5, 1e-6, 4e-10, 3e-15])
def test_numbers_that_differ_look_different(value: complex, gap: float) -> None:
    one, other = told_apart(value, value * (1 + gap))
    assert one != other
    assert complex(one) == pytest.approx(value, rel=gap)


def test_the_next_double_is_another_number() -> None:
    assert told_apart(1.0, math.nextafter(1.0, 2)) == ("1", "1.0000000000000002")


@pytest.mark.parametrize(
    ("pair", "texts"),
    [
        ((0.0, 1e-17), ("0", "1e-17")),
        ((3.0, 3.0), ("3", "3")),
        ((math.nan, math.inf), ("nan", "inf")),
        ((1 / 3, 2 / 3), ("0.333333", "0.666667")),
    ],
)
def test_no_more_digits_than_it_takes(pair: tuple, texts: tuple[str, str]) -> None:
    assert told_apart(*pair) == texts


def off_by(error: float) -> type[Rule]:
    """sin, whose gradient is off by a little."""
    return of_x(torch.sin, lambda grad_y, x: grad_y * torch.cos(x) + error * x**2)


@pytest.mark.parametrize("reference", [torch.sin, None])
@pytest.mark.parametrize("error", [1e-2, 1e-7, 1e-9])
def test_the_evidence_of_a_crosscheck_shows_a_difference(error: float, reference) -> None:
    report = assert_wrong(off_by(error), reference, (normal(5, 4),))
    for finding in report.findings:
        numbers = NUMBER.findall(finding.evidence)
        assert numbers[-1] != numbers[-2], finding.evidence


@pytest.mark.parametrize("error", [1e-2, 1e-7, 1e-12])
def test_a_row_of_a_comparison_shows_a_difference(error: float) -> None:
    x = normal(5, 4)
    (row,) = compare([x + error * x**2], [x]).rows
    manual, reference = str(row).split(": ")[1].split(" (")[0].split(" in place of ")
    assert manual.strip() != reference.strip()
