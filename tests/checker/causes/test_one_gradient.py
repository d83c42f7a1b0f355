"""Each way a gradient goes wrong bears its mark, and the most specific cause comes first."""

import pytest
import torch
from torch import Tensor

from tests.checker.causes.one_gradient import TRUE, X, first
from tests.checker.given import normal

SLOPES = {
    "σ′": torch.sigmoid(X) * (1 - torch.sigmoid(X)),
    "tanh′": 1 - torch.tanh(X) ** 2,
    "x itself": X,
    "exp(x)": torch.exp(X),
    "cos(x)": torch.cos(X),
    "tanh(x)": torch.tanh(X),
    "exp(−x²/2)": torch.exp(-(X**2) / 2),
}
OTHER, SQUARE, CUBE = normal(5, 4, seed=2), normal(4, 4), normal(3, 4, 3)


@pytest.mark.parametrize(
    ("got", "true", "more", "expected", "told"),
    [
        (
            *(OTHER, TRUE, {"others": {"weight": OTHER}, "claims": {"weight": TRUE}}),
            *("swapped-arguments", "weight"),
        ),
        (SQUARE.T.contiguous(), SQUARE, {"values": {}}, "transposed", ""),
        (TRUE.T.reshape(5, 4), TRUE, {}, "transposed", "memory"),
        (CUBE.permute(2, 1, 0).contiguous(), CUBE, {"values": {}}, "transposed", ""),
        (TRUE - 0.25, TRUE, {}, "missing-term", "missing is 0.25 in every entry"),
        (
            *(TRUE - normal(5, 1, seed=5), TRUE, {}, "missing-term"),
            "same for all entries along dimension 1",
        ),
        (TRUE - X * normal(5, 1, seed=5), TRUE, {}, "missing-term", "projection on x"),
        (normal(5, 4, seed=6), TRUE, {}, "missing-term", "cosine"),
    ],
    ids=[
        *("swapped", "transposed", "transposed in memory", "two dimensions of three"),
        *("a number", "a sum over a dimension", "a projection", "what no rule explains"),
    ],
)
def test_its_mark(got: Tensor, true: Tensor, more: dict, expected: str, told: str) -> None:
    cause, evidence = first(got, true, **more)
    assert cause == expected
    assert told in evidence


def test_a_gradient_of_another_argument_alone_is_no_swap() -> None:
    cause, _ = first(OTHER, others={"weight": OTHER}, claims={"weight": OTHER})
    assert cause != "swapped-arguments"


@pytest.mark.parametrize("slope", SLOPES)
def test_a_local_derivative_is_missing_or_there_once_too_often(slope: str) -> None:
    cause, evidence = first(TRUE / SLOPES[slope])
    assert cause == "missing-local-derivative"
    assert "missing" in evidence
    cause, evidence = first(TRUE * SLOPES[slope])
    assert cause == "missing-local-derivative"
    assert "once too often" in evidence
    assert slope.split("(")[0] in evidence


def test_a_local_derivative_with_a_factor_beside_it() -> None:
    assert "and a factor 0.5" in first(TRUE / torch.exp(X) / 2)[1]


def test_nearly_one_factor_is_told_with_its_range() -> None:
    ratio = 0.8 + 1e-3 * torch.rand(5, 4, dtype=torch.float64)
    ratio[0, 0], ratio[4, 3] = 0.8, 0.801
    _, evidence = first(TRUE * ratio, values={})
    assert "every entry is 0.8 to 0.801 times the true one" in evidence
    assert "every entry" not in first(TRUE * ratio * (1 + X.abs()), values={})[1]
