"""What is missing has a form: grad_output, a value, a function of one, or a product."""

import pytest
import torch
from torch import Tensor

from tests.checker.causes.one_gradient import hypotheses
from tests.checker.given import normal
from torchref.checker.causes.mismatch import Mismatch
from torchref.checker.causes.term import term_in_sight

TRUE, X, Y = normal(4, 6, seed=1), normal(4, 6, seed=2), normal(4, 6, seed=3)
G, BIAS = normal(4, 6, seed=4), normal(6, seed=5)
LEFT, RIGHT = normal(4, 3, seed=6), normal(6, 3, seed=7)


def first(rest: Tensor, true: Tensor = TRUE, incoming: Tensor = G) -> tuple[str, str]:
    values = {"x": X, "y": Y, "bias": BIAS, "left": LEFT, "right": RIGHT}
    got = true - rest
    wrong = Mismatch(
        "z", got, true, rest != 0, values=values, incoming={"grad_output": incoming.double()}
    )
    hypothesis = hypotheses(wrong)[0]
    return hypothesis.cause, hypothesis.evidence


@pytest.mark.parametrize(
    ("rest", "told"),
    [
        (G, "grad_output is missing"),
        (-G, "grad_output is too much"),
        (2 * G * X, "2 · grad_output · x is missing"),
        (G * BIAS, "grad_output · bias is missing"),
        (0.37 * Y, "0.37 · y is missing"),
        (G * torch.tanh(X) ** 2 - G, "grad_output · tanh′(x) is too much"),
        (G * X.exp(), "grad_output · exp(x) is missing"),
    ],
)
def test_a_term_that_is_entry_by_entry(rest: Tensor, told: str) -> None:
    cause, evidence = first(rest)
    assert cause == "missing-term"
    assert told in evidence


@pytest.mark.parametrize(
    ("rest", "told"),
    [
        (G @ RIGHT, "grad_output @ right is missing"),
        (3 * G.mT @ LEFT, "3 · grad_outputᵀ @ left is missing"),
        (RIGHT @ normal(3, 6, seed=9) @ G.mT, ""),
    ],
)
def test_a_term_that_is_a_product_of_matrices(rest: Tensor, told: str) -> None:
    cause, evidence = first(rest, normal(*rest.shape, seed=8))
    assert cause == "missing-term"
    assert told in evidence
    assert bool(told) == ("whole difference" in evidence)


def test_under_one_output_the_incoming_gradient_takes_part() -> None:
    cause, evidence = first(1.7 * X, incoming=torch.tensor(1.7))
    assert (cause, evidence.split(" is ")[0]) == ("missing-term", "grad_output · x")


def test_a_small_term_is_known_by_the_digits_that_are_left_of_it() -> None:
    assert "grad_output · x is missing" in first(1e-4 * G * X)[1].replace("0.0001 · ", "")


def test_what_has_no_form_has_none() -> None:
    assert "whole difference" not in first(normal(4, 6, seed=11))[1]
    assert "whole difference" not in first(torch.zeros(4, 6).index_fill(1, torch.tensor(2), 1.0))[1]


def test_a_factor_is_no_term() -> None:
    cause, _ = first(-G * X, true=G * X)
    assert cause == "constant-factor"


def test_a_product_of_real_and_complex_is_no_term() -> None:
    true, incoming = torch.complex(TRUE, Y), {"grad_output": torch.complex(X, TRUE)}
    got = torch.complex(G, X)
    wrong = Mismatch("z", got, true, got != true, values={"right": RIGHT}, incoming=incoming)
    assert list(term_in_sight(wrong)) == []
