"""A factor for each slice of a gradient."""

import pytest
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


def test_counts_of_an_index_that_are_forgotten() -> None:
    index = torch.tensor([0, 1, 1, 2, 2, 2, 0, 2])
    counts = torch.bincount(index).double()
    true = normal(3, 2, seed=2)
    found = first(true * counts[:, None], true, indices={"index": index})
    assert found.cause == "constant-factor"
    assert "is how often index names it times the true one: 2 at 0, 2 at 1" in found.evidence
    true = normal(8, 2, seed=2)
    found = first(true * counts[index][:, None], true, indices={"index": index})
    assert "is how often index holds its entry there times the true one" in found.evidence


@pytest.mark.parametrize(("power", "told"), [(1, "v there times"), (-1, "1/(v there) times")])
def test_an_argument_for_each_row(power: int, told: str) -> None:
    v = normal(6, seed=3)
    found = first(TRUE * (v**power)[:, None], values={"v": v})
    assert found.cause == "missing-local-derivative"
    assert f"along dimension 0 is {told} the true one" in found.evidence


def test_the_norm_of_a_row_is_forgotten() -> None:
    x = normal(6, 4, seed=4)
    found = first(TRUE * x.norm(dim=1, keepdim=True), values={"x": x})
    assert "is the norm of x there times the true one" in found.evidence


def test_factors_of_which_nothing_is_known_are_told() -> None:
    found = first(TRUE * torch.tensor([2.0, 3.0, 5.0, 7.0, 11.0, 13.0])[:, None].double())
    assert found.cause == "constant-factor"
    assert found.vague
    assert "a multiple of the true one: 2 at 0, 3 at 1, 5 at 2 …" in found.evidence


def test_few_entries_are_a_multiple_by_chance() -> None:
    assert first(TRUE[:, :2] * normal(6, 2, seed=5), TRUE[:, :2]).cause != "constant-factor"
    assert first(TRUE[:1] * normal(1, 4, seed=5), TRUE[:1]).cause != "constant-factor"
