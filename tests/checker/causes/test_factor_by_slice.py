"""A factor for each slice of a gradient."""

import torch
from torch import Tensor

from tests.checker.causes.one_gradient import hypotheses, wrong
from tests.checker.given import normal
from torchref.checker.causes.mismatch import Hypothesis

TRUE = normal(6, 4, seed=1)


def first(got: Tensor, true: Tensor = TRUE, **more) -> Hypothesis:
    return hypotheses(wrong(got, true, **more))[0]


def test_a_mean_of_parts_divided_by_their_own_sizes() -> None:
    true = normal(21, seed=2)
    sizes = torch.tensor([9.0] * 18 + [3.0] * 3, dtype=torch.float64)
    found = first(true * 7 / sizes, true)
    assert found.cause == "constant-factor"
    assert "0.777778 times the true one at indices 0 … 17 along dimension 0, and" in found.evidence
    assert "2.33333 times at the last 3: as the inverse sizes of parts of 9 and a last" in (
        found.evidence
    )


def test_factors_of_which_nothing_is_known_are_told() -> None:
    found = first(TRUE * torch.tensor([2.0, 3.0, 5.0, 7.0, 11.0, 13.0])[:, None].double())
    assert found.cause == "constant-factor"
    assert found.vague
    assert "a multiple of the true one: 2 at 0, 3 at 1, 5 at 2 …" in found.evidence


def test_few_entries_are_a_multiple_by_chance() -> None:
    assert first(TRUE[:, :2] * normal(6, 2, seed=5), TRUE[:, :2]).cause != "constant-factor"
    assert first(TRUE[:1] * normal(1, 4, seed=5), TRUE[:1]).cause != "constant-factor"
