"""Some entries are wrong: the rule that describes them."""

import pytest
import torch
from torch import Tensor

from tests.checker.causes.one_gradient import TRUE, X, first, hypotheses, wrong
from tests.checker.given import normal

ROWS, COLUMNS = torch.arange(5).unsqueeze(1).expand(5, 4), torch.arange(4).expand(5, 4)
NOISY = TRUE * (1 + normal(5, 4, seed=3).abs())
NOISE = 3 * normal(5, 4, seed=4)
RULES = {
    "negative": (X < 0, "x is negative"),
    "positive": (X > 0, "x is positive"),
    "large": (X.abs() >= 1, "|x| is at least 1"),
    "last column": (COLUMNS == 3, "last along dimension 1"),
    "first row": (ROWS == 0, "first along dimension 0"),
    "beyond": (ROWS >= 3, ": index 3 and beyond"),
    "before": (ROWS < 2, ": indices 0 … 1 along dimension 0"),
    "inside": (COLUMNS % 3 > 0, ": indices 1 … 2 along dimension 1"),
    "all but the first": (ROWS > 0, ": all but the first along dimension"),
    "all but the last": (COLUMNS < 3, ": all but the last along dimension 1"),
}


class TestElements:
    @pytest.mark.parametrize(("where", "rule"), RULES.values(), ids=list(RULES))
    def test_the_rule_that_describes_them(self, where: Tensor, rule: str) -> None:
        cause, evidence = first(torch.where(where, NOISY, TRUE))
        assert cause == "wrong-elements"
        assert rule in evidence
        assert f"{int(where.sum())} of 20 entries" in evidence

    def test_a_column_is_told_by_its_index_where_a_bound_fits_too(self) -> None:
        x = X.clone()
        x[:, 2] = 2 + X[:, 2].abs()
        got = torch.where(COLUMNS == 2, NOISY, TRUE)
        assert "5 of 20 entries: index 2 along dimension 1" in first(got, values={"x": x})[1]

    def test_a_factor_of_the_wrong_entries_is_told(self) -> None:
        got = torch.where(ROWS == 4, TRUE / 2, TRUE)
        assert "the last along dimension 0, each 0.5 times the true one" in first(got)[1]

    def test_most_entries_may_have_a_better_cause(self) -> None:
        assert first(TRUE * (1 + ROWS))[0] == "constant-factor"

    def test_at_zero_and_at_ties(self) -> None:
        x = X.clone()
        x[1, 2] = x[3, 0] = 0
        assert "where x is 0" in first(torch.where(x == 0, 7.0, TRUE), values={"x": x})[1]
        x = X.clone()
        x[1, 2] = x[3, 0]
        tied = x == x[1, 2]
        assert "ties with another" in first(torch.where(tied, 7.0, TRUE), values={"x": x})[1]

    def test_rows_that_an_index_repeats(self) -> None:
        index = torch.tensor([4, 1, 4, 0])
        got = TRUE.clone()
        got[4] *= normal(4, seed=4)
        assert "index names more than once" in first(got, indices={"index": index})[1]
        got = TRUE.clone()
        got[2:4] *= normal(2, 4, seed=4)
        assert "index does not name" in first(got, indices={"index": index})[1]

    def test_entries_that_an_index_of_all_dimensions_names(self) -> None:
        index = torch.tensor([[1, 1, 3], [0, 2, 2], [3, 3, 3], [0, 1, 2], [2, 0, 2]])
        count = torch.zeros(5, 4, dtype=torch.long).scatter_add(1, index, torch.ones_like(index))
        for where, told in ((count > 1, "more than once"), (count == 0, "does not name")):
            evidence = first(torch.where(where, NOISE, TRUE), values={}, indices={"i": index})[1]
            assert told in evidence
            assert "along dimension 1" in evidence

    def test_entries_that_are_0_agree_with_any_factor(self) -> None:
        true = TRUE.clone()
        true[3:] = 0
        assert [each.cause for each in hypotheses(wrong(true / 3, true))] == ["constant-factor"]

    def test_scattered_entries_are_listed(self) -> None:
        got = TRUE.clone()
        got[0, 3] += 1
        got[2, 1] -= 2
        got[3, 2] += 0.5
        cause, evidence = first(got, values={})
        assert cause == "wrong-elements"
        assert "3 of 20 entries" in evidence
        assert "(0, 3), (2, 1), (3, 2)" in evidence

    @pytest.mark.parametrize("bound", [0.8, -0.6])
    def test_entries_beyond_a_bound(self, bound: float) -> None:
        beyond = bound <= X if bound > 0 else bound >= X
        got = torch.where(beyond, NOISE, TRUE)
        at = float(X[beyond].min() if bound > 0 else X[beyond].max())
        cause, evidence = first(got)
        assert cause == "wrong-elements"
        assert f"where x is at {'least' if bound > 0 else 'most'} {at:.4g}" in evidence

    @pytest.mark.parametrize("share", [3, 10, 11, 15, 17])
    def test_a_bound_tells_of_any_share_of_the_entries(self, share: int) -> None:
        at = X.abs().reshape(-1).sort().values[share - 1]
        got = torch.where(X.abs() <= at, NOISE, TRUE)
        cause, evidence = first(got)
        assert cause == "wrong-elements"
        assert f"{share} of 20 entries: where |x| is at most {at:.4g}" in evidence

    def test_a_bound_that_leaves_none_of_the_right_ones_out_tells_nothing(self) -> None:
        right = torch.zeros(5, 4, dtype=torch.bool)
        right[2, 1] = right[4, 2] = right[0, 3] = right[1, 1] = True
        got = torch.where(right, TRUE, NOISE)
        assert "where" not in first(got)[1]

    def test_small_entries_that_are_wrong_from_the_first_digit_lost_none(self) -> None:
        true = TRUE.clone()
        true[3, 1] = 1e-9
        got = true.clone()
        got[3, 1] = 3e-9
        assert first(got, true)[0] == "wrong-elements"
