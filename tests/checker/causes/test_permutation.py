"""The true entries in another order, and factors that are 0 in places."""

import pytest
import torch
from torch import Tensor

from tests.checker.causes.one_gradient import first
from tests.checker.given import normal, seeded

TRUE, KERNEL = normal(4, 6, seed=1), normal(2, 3, 3)
ROWS = torch.tensor([True, False, True, True])
MASK = normal(4, 6, seed=5) > 0
A, B, OTHER = normal(4, 6, seed=7), normal(4, 6, seed=8), normal(4, 6, seed=9)
SHUFFLED = torch.randperm(24, generator=seeded(3))


@pytest.mark.parametrize(
    ("got", "cause", "told"),
    [
        (TRUE.flip(1), "transposed", "flipped along dimension 1"),
        (TRUE.flip(0, 1), "transposed", "flipped along dimensions 0 and 1"),
        (TRUE.roll(1, 1), "wrong-elements", "each +1 along dimension 1, around the end"),
        (TRUE.roll(-1, 0), "wrong-elements", "each -1 along dimension 0, around the end"),
        (TRUE.roll(3, 1), "swapped-arguments", "its 2 parts along dimension 1 are those"),
        (TRUE[:, [2, 3, 0, 1, 4, 5]], "swapped-arguments", "in the order 2, 1, 3"),
        (TRUE[:, [0, 5, 2, 3, 4, 1]], "swapped-arguments", "index 1 and 5 along dimension 1 stand"),
        (TRUE.roll((1, -2), (0, 1)), "wrong-elements", "each +1 along dimension 0, -2 along dim"),
        (TRUE[[3, 0, 2, 1]], "wrong-elements", "in another order: 3 at 0, 0 at 1, 1 at 3"),
    ],
)
def test_slices_in_another_order(got: Tensor, cause: str, told: str) -> None:
    said, evidence = first(got, TRUE)
    assert said == cause
    assert told in evidence


def test_entries_shuffled() -> None:
    cause, evidence = first(TRUE.reshape(-1)[SHUFFLED].reshape(4, 6), TRUE)
    assert (cause, evidence) == ("wrong-elements", "it holds the true entries, in another order")


@pytest.mark.parametrize("true", [torch.eye(4), torch.ones(4, 3), torch.tensor([1.0, 0, 2, 0])])
def test_of_a_few_numbers_no_order_is_told(true: Tensor) -> None:
    """A one in another place of a one-hot row is a wrong place, and in any order by chance."""
    got = true.double().reshape(-1)[torch.arange(true.numel()).roll(1)].reshape(true.shape)
    if not torch.equal(got, true.double()):
        assert "order" not in first(got, true.double())[1]
        assert "flipped" not in first(got, true.double())[1]


def test_complex_slices() -> None:
    z = torch.complex(normal(4, 6), TRUE)
    assert first(z.roll(1, 1), z)[0] == "wrong-elements"


@pytest.mark.parametrize(
    "given",
    [{"masks": {"mask": MASK}}, {"values": {"mask": MASK.double()}}],
    ids=["boolean", "floating"],
)
def test_a_mask_forgotten(given) -> None:
    true = TRUE * MASK
    for got, told in ((TRUE, "missing: mask"), (2 * TRUE, "missing: mask, which is 0 in places")):
        cause, evidence = first(got, true, **given)
        assert cause == "missing-local-derivative"
        assert told in evidence
    assert "a factor 2" in evidence


@pytest.mark.parametrize(
    ("got", "true", "given", "cause", "told"),
    [
        (KERNEL.rot90(1, (1, 2)), KERNEL, {}, "transposed", "turned by 90° in the plane of dime"),
        (
            *(TRUE * MASK, TRUE, {"masks": {"mask": MASK}}),
            *("missing-local-derivative", "once too often: mask"),
        ),
        (
            *(TRUE, TRUE * ROWS[:, None], {"masks": {"valid": ROWS}}),
            *("missing-local-derivative", "missing: valid"),
        ),
        (
            *(torch.where(MASK, TRUE, OTHER), TRUE, {"masks": {"mask": MASK}}),
            *("wrong-elements", "where mask is False"),
        ),
        (
            *(torch.where((A - B).abs() >= 1.5, OTHER, TRUE), TRUE),
            {"values": {"prediction": A, "target": B}},
            *("wrong-elements", "where |prediction − target| is at least"),
        ),
    ],
    ids=["turned", "a mask too often", "a mask of rows", "entries of a mask", "of a difference"],
)
def test_what_else_is_given_explains_it(got, true, given: dict, cause: str, told: str) -> None:
    said, evidence = first(got, true, **given)
    assert said == cause
    assert told in evidence
