"""Each way a gradient goes wrong bears its mark, and the most specific cause comes first."""

import math

import pytest
import torch
from torch import Tensor

from tests.checker.scenes import normal
from torchref.checker.causes import CAUSES
from torchref.checker.diagnosis import Wrong, suspicions
from torchref.checker.diagnosis.proportion import origins, proportion

X, TRUE = normal(5, 4), normal(5, 4, seed=1)
SLOPES = {
    "σ′": torch.sigmoid(X) * (1 - torch.sigmoid(X)),
    "tanh′": 1 - torch.tanh(X) ** 2,
    "x itself": X,
    "exp(x)": torch.exp(X),
    "cos(x)": torch.cos(X),
    "tanh(x)": torch.tanh(X),
    "exp(−x²/2)": torch.exp(-(X**2) / 2),
}


def wrong(got: Tensor, true: Tensor = TRUE, **more) -> Wrong:
    near = (got - true).abs() <= 1e-9 * true.abs()
    values = {"x": X} if X.shape == true.shape else {}
    return Wrong("x", got, true, ~near, **{"values": values, **more})


def first(got: Tensor, true: Tensor = TRUE, **more) -> tuple[str, str]:
    suspicion = suspicions(wrong(got, true, **more))[0]
    assert suspicion.cause in CAUSES
    return suspicion.cause, suspicion.evidence


class TestProportion:
    def test_a_sign(self) -> None:
        assert first(-TRUE)[0] == "sign-flipped"

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
        ],
    )
    def test_the_origin_of_a_factor(self, factor: float, origin: str) -> None:
        numbers = {"the batch": 32.0, "the argument p = 0.3": 0.3}
        assert origin in first(factor * TRUE, numbers=numbers)[1]

    def test_a_factor_of_no_known_origin_says_so(self) -> None:
        assert "no number in sight" in first(0.123457 * TRUE)[1]

    def test_what_is_no_factor(self) -> None:
        assert proportion(TRUE, torch.zeros_like(TRUE)) is None
        assert proportion(TRUE[:2], TRUE) is None
        assert proportion(TRUE + 1e-3, TRUE) is None
        assert proportion(0 * TRUE, TRUE) is None
        assert list(origins(0.123457, {"n": 32.0})) == []

    @pytest.mark.parametrize(("ratio", "told"), [(8**0.5, "√(d)"), (8**-0.5, "1/√(d)")])
    def test_the_scale_of_attention(self, ratio: float, told: str) -> None:
        assert list(origins(ratio, {"d": 8.0})) == [told]

    def test_a_complex_factor(self) -> None:
        z = torch.complex(X, TRUE)
        assert proportion(-z, z) == pytest.approx(-1)
        assert proportion(1j * z, z) is None

    def test_zeros(self) -> None:
        assert first(torch.zeros_like(TRUE))[0] == "missing-gradient"

    @pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
    def test_not_finite(self, bad: float) -> None:
        got = TRUE.clone()
        got[1, 2] = bad
        cause, evidence = first(got)
        assert cause == "not-finite"
        assert "1 of 20" in evidence

    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
    def test_a_cast(self, dtype: torch.dtype) -> None:
        cause, evidence = first(TRUE.to(dtype).double())
        assert cause == "precision-loss"
        assert str(dtype).removeprefix("torch.") in evidence

    def test_few_digits(self) -> None:
        assert first(TRUE * (1 + 1e-8 * normal(5, 4, seed=2)))[0] == "precision-loss"


class TestPlacement:
    def test_arguments_swapped(self) -> None:
        other = normal(5, 4, seed=2)
        cause, evidence = first(other, others={"weight": other}, claims={"weight": TRUE})
        assert cause == "swapped-arguments"
        assert "weight" in evidence

    def test_a_gradient_of_another_argument_alone_is_no_swap(self) -> None:
        other = normal(5, 4, seed=2)
        assert first(other, others={"weight": other}, claims={"weight": other})[0] != (
            "swapped-arguments"
        )

    def test_transposed(self) -> None:
        square = normal(4, 4)
        assert first(square.T.contiguous(), square, values={})[0] == "transposed"

    def test_transposed_in_memory(self) -> None:
        cause, evidence = first(TRUE.T.reshape(5, 4))
        assert cause == "transposed"
        assert "memory" in evidence

    def test_two_dimensions_of_three(self) -> None:
        cube = normal(3, 4, 3)
        assert first(cube.permute(2, 1, 0).contiguous(), cube, values={})[0] == "transposed"


class TestLocalDerivative:
    @pytest.mark.parametrize("slope", SLOPES)
    def test_missing(self, slope: str) -> None:
        cause, evidence = first(TRUE / SLOPES[slope])
        assert cause == "missing-local-derivative"
        assert "missing" in evidence

    @pytest.mark.parametrize("slope", SLOPES)
    def test_once_too_often(self, slope: str) -> None:
        cause, evidence = first(TRUE * SLOPES[slope])
        assert cause == "missing-local-derivative"
        assert "once too often" in evidence
        assert slope.split("(")[0] in evidence

    def test_with_a_factor_beside_it(self) -> None:
        assert "and a factor 0.5" in first(TRUE / torch.exp(X) / 2)[1]


class TestElements:
    @pytest.mark.parametrize(
        ("where", "rule"),
        [
            (X < 0, "x is negative"),
            (X > 0, "x is positive"),
            (X.abs() >= 1, "|x| is at least 1"),
            (torch.arange(4).expand(5, 4) == 3, "last along dimension 1"),
            (torch.arange(5).unsqueeze(1).expand(5, 4) == 0, "first along dimension 0"),
            (torch.arange(5).unsqueeze(1).expand(5, 4) >= 3, ": index 3 and beyond"),
            (torch.arange(5).unsqueeze(1).expand(5, 4) < 2, ": indices 0 … 1 along dimension 0"),
            (torch.arange(4).expand(5, 4) % 3 > 0, ": indices 1 … 2 along dimension 1"),
            (torch.arange(5).unsqueeze(1).expand(5, 4) > 0, ": all but the first along dimension"),
            (torch.arange(4).expand(5, 4) < 3, ": all but the last along dimension 1"),
        ],
        ids=[
            *("negative", "positive", "large", "last column", "first row", "beyond", "before"),
            *("inside", "all but the first", "all but the last"),
        ],
    )
    def test_the_rule_that_describes_them(self, where: Tensor, rule: str) -> None:
        noise = 1 + normal(5, 4, seed=3).abs()
        cause, evidence = first(torch.where(where, TRUE * noise, TRUE))
        assert cause == "wrong-elements"
        assert rule in evidence
        assert f"{int(where.sum())} of 20 entries" in evidence

    def test_a_column_is_told_by_its_index_where_a_bound_fits_too(self) -> None:
        x = X.clone()
        x[:, 2] = 2 + X[:, 2].abs()
        noise = 1 + normal(5, 4, seed=3).abs()
        got = torch.where(torch.arange(4).expand(5, 4) == 2, TRUE * noise, TRUE)
        assert "5 of 20 entries: index 2 along dimension 1" in first(got, values={"x": x})[1]

    def test_a_factor_of_the_wrong_entries_is_told(self) -> None:
        got = torch.where(torch.arange(5).unsqueeze(1) == 4, TRUE / 2, TRUE)
        assert "the last along dimension 0, each 0.5 times the true one" in first(got)[1]

    def test_most_entries_may_have_a_better_cause(self) -> None:
        got = TRUE * torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]).double().unsqueeze(1)
        assert first(got)[0] == "constant-factor"

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
            noise = 3 * normal(5, 4, seed=4)
            evidence = first(torch.where(where, noise, TRUE), values={}, indices={"i": index})[1]
            assert told in evidence
            assert "along dimension 1" in evidence

    def test_entries_that_are_0_agree_with_any_factor(self) -> None:
        true = TRUE.clone()
        true[3:] = 0
        assert [each.cause for each in suspicions(wrong(true / 3, true))] == ["constant-factor"]

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
        got = torch.where(beyond, 3 * normal(5, 4, seed=4), TRUE)
        at = float(X[beyond].min() if bound > 0 else X[beyond].max())
        cause, evidence = first(got)
        assert cause == "wrong-elements"
        assert f"where x is at {'least' if bound > 0 else 'most'} {at:.4g}" in evidence

    @pytest.mark.parametrize("share", [3, 10, 11, 15, 17])
    def test_a_bound_tells_of_any_share_of_the_entries(self, share: int) -> None:
        at = X.abs().reshape(-1).sort().values[share - 1]
        got = torch.where(X.abs() <= at, 3 * normal(5, 4, seed=4), TRUE)
        cause, evidence = first(got)
        assert cause == "wrong-elements"
        assert f"{share} of 20 entries: where |x| is at most {at:.4g}" in evidence

    def test_a_bound_that_leaves_none_of_the_right_ones_out_tells_nothing(self) -> None:
        right = torch.zeros(5, 4, dtype=torch.bool)
        right[2, 1] = right[4, 2] = right[0, 3] = right[1, 1] = True
        got = torch.where(right, TRUE, 3 * normal(5, 4, seed=4))
        assert "where" not in first(got)[1]

    def test_small_entries_that_are_wrong_from_the_first_digit_lost_none(self) -> None:
        true = TRUE.clone()
        true[3, 1] = 1e-9
        got = true.clone()
        got[3, 1] = 3e-9
        assert first(got, true)[0] == "wrong-elements"


class TestTerms:
    def test_the_same_number_is_missing_everywhere(self) -> None:
        cause, evidence = first(TRUE - 0.25)
        assert cause == "missing-term"
        assert "missing is 0.25 in every entry" in evidence

    def test_nearly_one_factor_is_told_with_its_range(self) -> None:
        share = 0.8 + 1e-3 * torch.rand(5, 4, dtype=torch.float64)
        ratio = share.clone()
        ratio[0, 0], ratio[4, 3] = 0.8, 0.801
        _, evidence = first(TRUE * ratio, values={})
        assert "every entry is 0.8 to 0.801 times the true one" in evidence
        assert "every entry" not in first(TRUE * ratio * (1 + X.abs()), values={})[1]

    def test_a_sum_over_a_dimension_is_missing(self) -> None:
        cause, evidence = first(TRUE - normal(5, 1, seed=5))
        assert cause == "missing-term"
        assert "same for all entries along dimension 1" in evidence

    def test_a_projection_is_missing(self) -> None:
        cause, evidence = first(TRUE - X * normal(5, 1, seed=5))
        assert cause == "missing-term"
        assert "projection on x" in evidence

    def test_what_no_rule_explains_is_still_told(self) -> None:
        cause, evidence = first(normal(5, 4, seed=6))
        assert cause == "missing-term"
        assert "cosine" in evidence
