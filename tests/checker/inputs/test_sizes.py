"""Sizes that change together, squares made oblong, ranks, and nothing that fills the memory."""

import pytest
import torch

from tests.checker.given import case_of, normal, seeded
from torchref.checker.execution.case import Case
from torchref.checker.inputs.sizes import (
    MOST_ELEMENTS,
    rank_variations,
    resize,
    shrunk,
    size_variations,
)


def shapes(case: Case, vary=size_variations) -> dict[str, list[tuple[int, ...]]]:
    made = {}
    for label, changes in vary(case, seeded(0)):
        leaves = case.derived(label, changes).leaves
        made[label] = [tuple(x.shape) for x in leaves if isinstance(x, torch.Tensor)]
    return made


AFFINE = case_of(torch.nn.functional.linear, normal(5, 4), normal(3, 4), normal(3))


GATES = case_of(lambda x, h: x, normal(2, 9), normal(2, 3))
A_SQUARE = case_of(lambda x: x, normal(4, 4))


@pytest.mark.parametrize(
    ("case", "label", "made"),
    [
        (AFFINE, "size 4 → 7", [(5, 7), (3, 7), (3,)]),  # equal sizes change together
        (AFFINE, "size 3 → 1", [(5, 4), (1, 4), (1,)]),
        (AFFINE, "size 5 → 131", [(131, 4), (3, 4), (3,)]),
        (AFFINE, "size 5 → 0", [(0, 4), (3, 4), (3,)]),
        (AFFINE, "size 4 → 5", [(5, 5), (3, 5), (3,)]),
        (A_SQUARE, "x of size 6 along dimension 0", [(6, 4)]),  # one dimension alone
        (A_SQUARE, "x of size 3 along dimension 1", [(4, 3)]),
        (GATES, "size 3 → 1, size 9 → 3", [(2, 3), (2, 1)]),  # else they would be broadcast
        (GATES, "size 3 → 7", [(2, 9), (2, 7)]),
    ],
)
def test_sizes_that_change(case: Case, label: str, made: list[tuple[int, ...]]) -> None:
    assert shapes(case)[label] == made


def test_numbers_that_equal_a_size_change_with_it_and_without() -> None:
    case = case_of(lambda x, groups: x, normal(6, 5), 6)
    made = dict(size_variations(case, seeded(0)))
    assert set(made["size 6 → 7"]) == {0}
    assert made["size 6 → 7 (the numbers too)"][1] == 7
    assert "size 6 → 131 (the numbers too)" not in made


def test_what_would_fill_the_memory_is_left_out() -> None:
    case = case_of(torch.nn.functional.conv3d, normal(1, 2, 4, 3, 5), normal(3, 2, 2, 2, 2))
    for _, changes in size_variations(case, seeded(0)):
        tensors = [x for x in changes.values() if isinstance(x, torch.Tensor)]
        assert sum(x.numel() for x in tensors) <= MOST_ELEMENTS


def test_a_permutation_stays_one() -> None:
    order = torch.tensor([3, 0, 4, 1, 2])
    case = case_of(lambda x, order: x[order], normal(5, 3), order)
    lengths = set()
    for label, changes in size_variations(case, seeded(0)):
        x, index = case.derived(label, changes).leaves
        assert len(index) == len(x) or "x of size" in label
        assert sorted(index.tolist()) == list(range(len(index))), label
        lengths.add(len(index))
    assert {1, 2, 6, 131} < lengths


def test_without_as_many_places_it_does_not_grow() -> None:
    case = case_of(lambda x, order: x, normal(3, 2), torch.tensor([1, 0, 3, 2]))
    for label, changes in size_variations(case, seeded(0)):
        assert int(case.derived(label, changes).leaves[1].max()) <= 3, label


def test_indices_stay_within_what_they_point_to() -> None:
    case = case_of(lambda x, index: x[index], normal(5, 3), torch.tensor([4, 0, 4, 2, 1, 3, 3]))
    for label, changes in size_variations(case, seeded(0)):
        x, index = case.derived(label, changes).leaves
        if len(x) and len(index) and "→" in label:
            assert int(index.max()) < max(len(x), 1), label


def test_ranks() -> None:
    made = shapes(case_of(torch.mul, normal(5, 4), normal(5, 4)), rank_variations)
    assert list(made.values()) == [[(2, 5, 4), (2, 5, 4)], [(4,), (4,)]]
    assert list(shapes(AFFINE, rank_variations).values()) == [
        [(2, 5, 4), (3, 4), (3,)],
        [(4,), (3, 4), (3,)],
    ]


def test_a_large_case_shrinks_to_sizes_that_all_differ() -> None:
    case = case_of(torch.nn.functional.linear, normal(100, 64), normal(32, 64), normal(32))
    (batch, inputs), (outputs, same), (bias,) = [x.shape for x in shrunk(case).leaves]
    assert inputs == same
    assert outputs == bias
    assert len({batch, inputs, outputs}) == 3
    assert max(batch, inputs, outputs) <= 7


def test_a_longer_tensor_keeps_its_values_and_its_domain() -> None:
    x = torch.rand(4, 3, dtype=torch.float64, generator=seeded(0))
    longer = resize(x, 0, 131, seeded(1))
    assert torch.equal(longer[:4], x)
    assert 0 <= float(longer.min()) <= float(longer.max()) <= 1
    assert len(longer.unique()) == 131 * 3  # no ties
    assert torch.equal(resize(x, 0, 2, seeded(1)), x[:2])
    index = resize(torch.tensor([3, 1]), 0, 9, seeded(1))
    assert set(index.tolist()) <= {1, 3}


def test_indices_in_order_grow_in_order() -> None:
    offsets = torch.tensor([0, 3, 4, 9])
    longer = resize(offsets, 0, 7, seeded(0))
    assert longer.tolist() == sorted(longer.tolist())
    assert set(longer.tolist()) == {0, 3, 4, 9}
    assert resize(offsets.flip(0), 0, 7, seeded(0))[:4].tolist() == [9, 4, 3, 0]
