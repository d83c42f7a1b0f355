"""Every entry wrong by the same factor, and where the factor comes from."""

import math

import pytest
import torch
from torch import Tensor

from tests.checker.causes.one_gradient import TRUE, X, first
from tests.checker.given import normal
from torchref.checker.causes.factor import origins, proportion


class TestProportion:
    @pytest.mark.parametrize("factor", [2.0, 0.5, -3.0, 1.0009, 1e-8])
    def test_a_factor(self, factor: float) -> None:
        cause, evidence = first(factor * TRUE)
        assert cause == "constant-factor"
        assert f"{factor:.6g} times" in evidence

    def test_one_entry_that_dwarfs_all_others_shows_no_factor(self) -> None:
        true = TRUE.clone()
        true[2, 1] = 1e12
        got = true.clone()
        got[2, 1] = 3e12
        assert first(got, true)[0] == "wrong-elements"

    def test_one_entry_is_a_multiple_of_any_other(self) -> None:
        true = torch.tensor([1.7], dtype=torch.float64)
        assert first(1.2345 * true, true)[0] == "missing-term"
        assert first(2 * true, true)[0] == "constant-factor"

    def test_a_number_itself_is_likelier_than_twice_the_inverse_of_another(self) -> None:
        numbers = {"the number of outputs": 20.0, "the argument scale = 0.1": 0.1}
        _, evidence = first(0.1 * TRUE, numbers=numbers)
        assert "the argument scale" in evidence
        assert "outputs" not in evidence

    @pytest.mark.parametrize(
        ("factor", "origin"),
        [
            (32.0, "the batch"),
            (1 / 32, "1/(the batch)"),
            (0.3, "the argument p = 0.3"),
            (1 / 0.7, "1/(1 − (the argument p = 0.3))"),
            (0.09, "(the argument p = 0.3)²"),
            (math.pi, "π"),
            (2.0, "a square"),
            (31.0, ": (the batch) − 1"),
            (-31.0, ": 1 − (the batch)"),
            (-32.0, ": −the batch"),
            (32 / 31, "n/(n − 1) for n = the batch"),
            (31 / 32, "(n − 1)/n for n = the batch"),
            (math.exp(0.3), ": exp(the argument p = 0.3)"),
            (0.3 * math.exp(-0.3), ": the argument p = 0.3 in place of its exp"),
            (2 / math.sqrt(math.pi), "as in erf′"),
            (1 / math.log(2), "1/(ln 2"),
            (4.0, "no number in sight"),
            (0.123457, "no number in sight"),
        ],
    )
    def test_the_origin_of_a_factor(self, factor: float, origin: str) -> None:
        numbers = {"the batch": 32.0, "the argument p = 0.3": 0.3}
        assert origin in first(factor * TRUE, numbers=numbers)[1]

    def test_what_is_no_factor(self) -> None:
        assert proportion(TRUE, torch.zeros_like(TRUE)) is None
        assert proportion(TRUE[:2], TRUE) is None
        assert proportion(TRUE + 1e-3, TRUE) is None
        assert proportion(0 * TRUE, TRUE) is None
        assert list(origins(0.123457, {"n": 32.0})) == []

    def test_the_scale_of_attention(self) -> None:
        assert list(origins(8**0.5, {"d": 8.0})) == ["√(d)"]
        assert list(origins(8**-0.5, {"d": 8.0})) == ["1/√(d)"]

    def test_a_complex_factor(self) -> None:
        z = torch.complex(X, TRUE)
        assert proportion(-z, z) == pytest.approx(-1)
        assert proportion(1j * z, z) is None

    @pytest.mark.parametrize(
        ("got", "expected", "told"),
        [
            (-TRUE, "sign-flipped", ""),
            (torch.zeros_like(TRUE), "missing-gradient", ""),
            (TRUE.float().double(), "precision-loss", "float32"),
            (TRUE.bfloat16().double(), "precision-loss", "bfloat16"),
            (TRUE.half().double(), "precision-loss", "float16"),
            (TRUE * (1 + 1e-8 * normal(5, 4, seed=2)), "precision-loss", ""),
        ],
        ids=["sign", "zeros", "float32", "bfloat16", "float16", "few digits"],
    )
    def test_what_is_no_number_of_times(self, got: Tensor, expected: str, told: str) -> None:
        cause, evidence = first(got)
        assert cause == expected
        assert told in evidence

    @pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
    def test_not_finite(self, bad: float) -> None:
        got = TRUE.clone()
        got[1, 2] = bad
        cause, evidence = first(got)
        assert cause == "not-finite"
        assert "1 of 20" in evidence
