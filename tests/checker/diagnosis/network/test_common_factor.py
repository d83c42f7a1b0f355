"""The factor that gradients share, and where it may come from."""

import math

import pytest
import torch

from tests.checker.comparison.compared import Gradients, network
from tests.checker.given import causes, normal
from torchref import compare


def times(factor: float, gradients: Gradients) -> Gradients:
    return {name: factor * x for name, x in gradients.items()}


def test_a_size_that_is_seen_is_a_guess() -> None:
    true = {"W": normal(32, 7), "b": normal(7)}
    comparison = compare(times(32, true), true)
    assert causes(comparison)[0] == "constant-factor"
    evidence = comparison.findings[0].evidence
    assert "every entry is 32 times too large: 32 may be the size of W" in evidence
    assert comparison.findings[0].argument == "W, b"


def test_a_number_that_is_given_is_no_guess() -> None:
    comparison = compare(times(1 / 64, network()), network(), values={"batch": 64})
    assert causes(comparison) == ["constant-factor"]
    assert "64 times too small: 64 is the batch" in comparison.findings[0].evidence


@pytest.mark.parametrize(
    ("factor", "told"),
    [
        (1 / 64**2, "4096 is (the batch)²"),
        (2 / 64, "0.03125 is 2/(the batch)"),
        (0.9, "0.9 is 1 − (p)"),
        (192.0, "192 may be the batch times the size of W2 along dimension 1"),
        (2.0, "2 may be the 2 of a square"),
        (7 / 6, "may be n/(n − 1) for n = the size of"),
        (65536.0, "65536 may be the loss scale 2^16"),
        (math.pi, "3.14159 may be π"),
        (1.2345, "no number in sight"),
    ],
)
def test_the_origin_of_a_factor(factor: float, told: str) -> None:
    given = {"batch": 64, "p": 0.1}
    comparison = compare(times(factor, network()), network(), values=given)
    assert causes(comparison)[0] == "constant-factor"
    assert told in comparison.findings[0].evidence


def test_the_sizes_of_given_tensors_are_seen() -> None:
    comparison = compare(times(13, network()), network(), values={"x": normal(13, 7)})
    assert "13 may be the size of x along dimension 0" in comparison.findings[0].evidence


def test_the_rows_of_an_unsummed_bias_are_seen() -> None:
    manual = {"W": 17 * normal(7, 5), "b": normal(17, 5)}
    comparison = compare(manual, {"W": normal(7, 5), "b": normal(17, 5).sum(0)})
    assert set(causes(comparison)) == {"constant-factor", "accumulates", "missing-reduction"}
    assert "17 may be the size of b along dimension 0" in str(comparison)


def test_a_clipped_norm_is_told() -> None:
    true = network()
    norm = torch.cat([x.reshape(-1) for x in true.values()]).norm()
    comparison = compare(times(1 / norm, true), true)
    assert "clipping of the manual gradients: their norm is 1" in str(comparison)


def test_a_sign_is_no_factor() -> None:
    assert causes(compare(times(-1, network()), network())) == ["sign-flipped"]
    comparison = compare(times(-2, network()), network())
    assert "2 times too large and of the wrong sign" in comparison.findings[0].evidence


def test_two_factors_are_two_findings() -> None:
    true = network()
    manual = true | {"W1": 3 * true["W1"], "W2": 7 * true["W2"]}
    comparison = compare(manual, true)
    assert [finding.argument for finding in comparison.findings] == ["W1", "W2"]
    assert causes(comparison) == ["constant-factor"] * 2


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_a_factor_between_short_dtypes(dtype: torch.dtype) -> None:
    true = normal(32, 70)
    comparison = compare([(32 * true).to(dtype)], [true])
    assert "32 times too large: 32 may be the size" in comparison.findings[0].evidence


def test_a_factor_of_one_entry_needs_a_meaning() -> None:
    assert causes(compare([torch.tensor(2.0)], [torch.tensor(3.7)])) == ["missing-term"]
    assert causes(compare([torch.tensor(2.0)], [torch.tensor(4.0)]))[0] == "constant-factor"
    assert causes(compare([torch.tensor(2.0)], [torch.tensor(-2.0)])) == ["sign-flipped"]
