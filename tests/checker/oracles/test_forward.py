"""A wrong forward is told from a noisy one, and rounding from both."""

import pytest
import torch

from tests.checker.given import normal, run_of
from torchref import crosscheck
from torchref.checker.oracles.forward import compare_forwards

X = normal(4, 3)


def causes(candidate, reference=torch.sin, x=X) -> list[str]:
    return [finding.cause for finding in compare_forwards(run_of(candidate, reference, x)).findings]


@pytest.mark.parametrize(
    "candidate",
    [torch.sin, lambda x: torch.cos(x - torch.pi / 2), lambda x: torch.sin(x) * (1 + 1e-15)],
    ids=["same", "another formula", "an ulp"],
)
def test_rounding_is_no_difference(candidate) -> None:
    assert causes(candidate) == []


@pytest.mark.parametrize("error", [1e-1, 1e-3, 1e-6, 1e-9, 1e-11])
def test_another_value_is_wrong_however_little_it_differs(error: float) -> None:
    assert causes(lambda x: torch.sin(x) + error * x**2) == ["forward-wrong"]
    assert causes(lambda x: torch.sin(x) * (1 + error)) == ["forward-wrong"]


@pytest.mark.parametrize("epsilon", [1e-4, 1e-6, 1e-9])
def test_another_epsilon_is_another_value(epsilon: float) -> None:
    """As small as the rounding of single precision, and smooth where that is rough."""

    def normalised(x, eps=1e-5):
        return (x - x.mean(1, True)) * torch.rsqrt(x.var(1, keepdim=True) + eps)

    assert causes(lambda x: normalised(x, epsilon), normalised) == ["forward-wrong"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_missing_digits_are_noise(dtype: torch.dtype) -> None:
    assert causes(lambda x: torch.sin(x).to(dtype).double()) == ["forward-noisy"]
    assert causes(lambda x: torch.sin(x.to(dtype)).double()) == ["forward-noisy"]


def test_random_numbers_are_noise() -> None:
    run = run_of(lambda x: torch.sin(x) + 0.1 * torch.rand_like(x), torch.sin, X)
    (finding,) = compare_forwards(run).findings
    assert finding.cause == "forward-noisy"
    assert "draws random numbers" in finding.evidence


def test_one_wrong_entry_is_told_with_both_values() -> None:
    def candidate(x):
        y = torch.sin(x)
        return torch.cat([y[:3], y[3:] + torch.tensor([0.0, 0.5, 0.0])])

    (finding,) = compare_forwards(run_of(candidate, torch.sin, X)).findings
    assert finding.element == (3, 1)
    assert f"{torch.sin(X)[3, 1]:.6g}" in finding.evidence
    assert f"{torch.sin(X)[3, 1] + 0.5:.6g}" in finding.evidence


def test_an_integer_output_must_be_equal() -> None:
    found = causes(lambda x: (x.sin(), x.argmax()), lambda x: (x.sin(), x.argmin()))
    assert found == ["forward-wrong"]


@pytest.mark.parametrize("wrong", [lambda x: x < 0, lambda x: (x > 0).sum() + 1, lambda x: x.int()])
def test_masks_and_counts_are_compared_too(wrong) -> None:
    def right(x):
        y = wrong(x)
        return ~y if y.dtype is torch.bool else y - 1

    (finding,) = compare_forwards(run_of(lambda x: (x.sin(), wrong(x)), both(right), X)).findings
    assert finding.cause == "forward-wrong"
    assert crosscheck(both(right), both(right), (X,)).verdict == "right"


def both(flag):
    return lambda x: (x.sin(), flag(x))


def test_which_of_equal_entries_an_index_names_is_a_choice() -> None:
    """At a variation; at the inputs given the reference is taken at its word."""

    def last(x):
        values, index = x.flip(-1).max(-1)
        return values, x.shape[-1] - 1 - index

    def first(x):
        return tuple(x.max(-1))

    report = crosscheck(last, first, (X,))
    assert report.verdict == "right", str(report)
    assert any("output 1 differs, where entries tie" in note for note in report.notes)
    assert crosscheck(last, first, (torch.ones_like(X),)).verdict == "wrong"
    assert crosscheck(lambda x: (last(x)[0], last(x)[1] + 1), first, (X,)).verdict == "wrong"


def test_where_the_reference_is_not_finite_anything_goes() -> None:
    x = torch.tensor([0.0, 1.0], dtype=torch.float64)
    assert causes(lambda x: torch.log(x.clamp(min=1e-3)), torch.log, x) == []
    assert causes(torch.log, lambda x: torch.log(x.clamp(min=1e-3)), x) == ["forward-wrong"]


def test_without_a_reference_there_is_nothing_to_compare() -> None:
    assert causes(torch.sin, None) == []
