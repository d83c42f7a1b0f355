"""Each way a gradient goes wrong bears its mark, and the most specific cause comes first."""

import pytest
import torch

from tests.checker.causes.one_gradient import TRUE, X, first
from tests.checker.given.runs import normal

SLOPES = {
    "σ′": torch.sigmoid(X) * (1 - torch.sigmoid(X)),
    "tanh′": 1 - torch.tanh(X) ** 2,
    "x itself": X,
    "exp(x)": torch.exp(X),
    "cos(x)": torch.cos(X),
    "tanh(x)": torch.tanh(X),
    "exp(−x²/2)": torch.exp(-(X**2) / 2),
}


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
