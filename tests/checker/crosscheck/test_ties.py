"""Ties, zeros and steps: what a convention may choose at them, and what it may not."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.checker.given import assert_wrong, normal, of_x
from tests.corpora.wrong_ops.rule import Rule, gradients_of
from torchref import crosscheck


def larger(of_a: float, of_b: float) -> type[Rule]:
    """max(a, b), with the share of a tie that each side gets."""

    @gradients_of(lambda a, b: torch.maximum(a, b))
    def Larger(grad_y, a, b):
        tie, more = a == b, (a > b).to(a.dtype)
        return grad_y * more.where(~tie, of_a), grad_y * (1 - more).where(~tie, of_b)

    return Larger


@pytest.mark.parametrize("reference", [None, torch.maximum])
@pytest.mark.parametrize(
    ("of_a", "of_b", "verdict"),
    [(0.5, 0.5, "right"), (1, 0, "right"), (0.25, 0.75, "right"), (1, 1, "wrong"), (0, 0, "wrong")],
)
def test_the_shares_of_a_tie_between_arguments_sum_to_one(of_a, of_b, verdict, reference) -> None:
    for b in (normal(5), normal(5, seed=1)):  # equal as given, or by a variation
        report = crosscheck(larger(of_a, of_b), reference, (normal(5), b))
        assert report.verdict == verdict, str(report)


def affine(bias_gradient: Any) -> type[Rule]:
    """x Wᵀ + b, whose bias gradient is summed, averaged, or belongs to other columns."""

    @gradients_of(lambda x, weight, bias: x @ weight.mT + bias)
    def Mistaken(grad_y, x, weight, bias):
        return grad_y @ weight, grad_y.mT @ x, bias_gradient(grad_y)

    return Mistaken


@pytest.mark.parametrize("bias", [torch.zeros(5), torch.ones(5), torch.tensor([0.0, 1, 0, 1, 2])])
@pytest.mark.parametrize(
    ("bias_gradient", "verdict"),
    [
        (lambda g: g.sum(0), "right"),
        (lambda g: g.mean(0), "wrong"),
        (lambda g: g.sum(0).flip(0), "wrong"),  # the sum over equal entries is right
        (lambda g: g.sum(0) * torch.tensor([1.0, 1, 1, 1, 0]), "wrong"),
    ],
)
def test_equal_entries_and_zeros_that_are_no_kink_are_judged(bias, bias_gradient, verdict) -> None:
    inputs = (normal(4, 3), normal(5, 3, seed=1), bias.double())
    report = crosscheck(affine(bias_gradient), None, inputs)
    assert report.verdict == verdict, str(report)


@pytest.mark.parametrize(
    "function", [torch.relu, torch.abs, lambda x: x.amax(), lambda x: x.median(), torch.sort]
)
@pytest.mark.parametrize("x", [torch.zeros(5), torch.tensor([1.0, 1, 1, 0, 2, -1, 2])])
def test_the_conventions_of_torch_at_ties_are_no_mistakes(function: Any, x: Tensor) -> None:
    report = crosscheck(function, None, (x,), vary=False)
    assert report.verdict != "wrong", str(report)


def sorted_from_the_end(factor: Any) -> type[Rule]:
    """Sorted rows, equal entries in the reverse order, each gradient times its factor."""

    def order(x: Tensor) -> Tensor:
        return x.shape[-1] - 1 - torch.sort(x.flip(-1), dim=-1, stable=True).indices

    @gradients_of(lambda x: x.gather(-1, order(x)))
    def Sorted(grad_y, x):
        return torch.zeros_like(x).scatter(-1, order(x), grad_y * factor(x))

    return Sorted


def twice_at_ties(x: Tensor) -> Tensor:
    tied = x.sort(-1).values.diff(dim=-1) == 0
    return 1 + F.pad(tied, (1, 0)).to(x.dtype)


def sorted_values(x: Tensor) -> Tensor:
    return x.sort(-1).values


@pytest.mark.parametrize(
    ("columns", "reference"), [(6, None), (6, sorted_values), (30, sorted_values)]
)
@pytest.mark.parametrize(
    ("factor", "verdict"),
    [(torch.ones_like, "right"), (twice_at_ties, "wrong"), (lambda x: 2, "wrong")],
)
def test_which_of_equal_entries_comes_first_is_a_choice(factor, verdict, columns, reference):
    for seed in range(3):
        report = crosscheck(
            sorted_from_the_end(factor), reference, (normal(2, columns),), seed=seed
        )
        assert report.verdict == verdict, str(report)


def test_one_entry_that_jumps_does_not_silence_the_others() -> None:
    x = torch.tensor([-1.5, 0.0, 2.0])
    assert_wrong(of_x(torch.sign, lambda grad_y, x: grad_y * torch.sign(x)), None, (x,))
    right = of_x(torch.sign, lambda grad_y, x: 0 * grad_y)
    alone = crosscheck(right, None, (x,), vary=False)
    assert alone.verdict == "cannot tell"
    assert "along 2 of 3 entries" in str(alone)
