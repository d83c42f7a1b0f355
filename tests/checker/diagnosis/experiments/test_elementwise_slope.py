"""Of an op that works entry by entry it is the slope that is wrong, and both slopes are told."""

import pytest
import torch
import torch.nn.functional as F

from tests.checker.given import normal, of_x
from torchref import crosscheck


def slope_of(function):
    def gradients(g, x):
        with torch.enable_grad():
            at = x.detach().requires_grad_()
            return torch.autograd.grad(function(at), at, g)[0]

    return gradients


def first(forward, gradients, x, reference=True):
    against = forward if reference else None
    return crosscheck(of_x(forward, gradients), against, (x,), thorough=False).findings[0]


@pytest.mark.parametrize("reference", [True, False], ids=["beside", "alone"])
def test_a_slope_that_is_nobodys_is_told_in_numbers(reference: bool) -> None:
    x = torch.tensor([[0.4, -1.2, 2.0], [0.1, -0.3, 0.9]], dtype=torch.float64)
    finding = first(torch.sin, lambda g, x: g * (x.cos() + 0.1 * (2 * x).cosh()), x, reference)
    assert finding.cause == "missing-local-derivative"
    assert "the slope is 2.31468 where it should be -0.416147 at x = 2" in finding.evidence
    assert "right nowhere" in finding.evidence


def test_a_slope_that_is_always_too_large_says_so() -> None:
    finding = first(torch.atan, lambda g, x: g / (1 + x**2) + g * (x / 9).cosh() / 7, normal(4, 3))
    assert "right nowhere, too large everywhere" in finding.evidence


@pytest.mark.parametrize(
    ("forward", "taken", "told"),
    [
        (F.gelu, lambda x: F.gelu(x, approximate="tanh"), "that of GELU approximated by tanh, and"),
        (F.silu, F.mish, "the slope is that of Mish, and the forward is SiLU"),
        (lambda x: x.tanh() * x.sin(), torch.erf, "the slope is that of erf"),
    ],
)
def test_the_slope_of_a_relative_is_named(forward, taken, told) -> None:
    finding = first(forward, slope_of(taken), normal(4, 3))
    assert finding.cause == "missing-local-derivative"
    assert told in finding.evidence


@pytest.mark.parametrize(
    ("forward", "gradients", "told"),
    [
        (torch.atan, lambda g, x: g / (1 + torch.atan(x) ** 2), "at the output in place of x"),
        (F.logsigmoid, lambda g, x: g * torch.sigmoid(x), "at −x in place of x"),
    ],
)
def test_a_slope_taken_elsewhere(forward, gradients, told) -> None:
    finding = first(forward, gradients, normal(4, 3))
    assert finding.cause == "missing-local-derivative"
    assert told in finding.evidence


def test_slopes_of_few_values_are_told_by_the_entries_that_are_wrong() -> None:
    finding = first(
        lambda x: x.clamp(-1, 1) + 2 * x.clamp(min=1),
        lambda g, x: g * ((x.abs() < 1) + 2.0 * (x < -1)),
        torch.tensor([[-2.0, -1.5, 1.2], [3.0, 0.4, -0.2]], dtype=torch.float64),
    )
    assert finding.cause == "wrong-elements"
    assert "4 of 6 entries: where |x| is at least 1" in finding.evidence


def test_what_is_no_product_entry_by_entry_lacks_a_sum() -> None:
    finding = first(
        lambda x: F.layer_norm(x, (5,)),
        lambda g, x: g * torch.rsqrt(x.var(-1, correction=0, keepdim=True) + 1e-5),
        normal(4, 5),
    )
    assert finding.cause == "missing-term"
    assert "only the same entry of grad_output enters, where others should too" in finding.evidence


def test_a_forgotten_term_of_a_product_rule_stays_one() -> None:
    finding = first(F.silu, lambda g, x: g * torch.sigmoid(x), normal(4, 3))
    assert finding.cause == "missing-term"
    assert "grad_output · x · (σ′(x) = σ(1 − σ)) is missing" in finding.evidence
