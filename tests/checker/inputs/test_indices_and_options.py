"""Repeated, sorted, ignored and masked indices; scalars away from 1.0, flags, absent tensors."""

import pytest
import torch

from tests.checker.given import case_of, normal, seeded
from torchref.checker.inputs.indices import index_variations
from torchref.checker.inputs.options import option_variations

X = normal(4, 3)
INDEX = torch.tensor([[3, 0], [2, 1]])
MASK = torch.tensor([[True, False], [False, False]])


def indices(index: torch.Tensor) -> dict[str, torch.Tensor]:
    case = case_of(lambda x, index: x, X, index)
    made = dict(index_variations(case, seeded(0)))
    assert all(set(changes) == {1} for changes in made.values())
    return {label.removesuffix(" in index"): changes[1] for label, changes in made.items()}


def test_indices_are_repeated_and_stay_within_bounds() -> None:
    made = indices(INDEX)
    assert torch.equal(made["one index repeated"], torch.full((2, 2), 3))
    assert made["a repeated index"].tolist() == [[3, 3], [2, 1]]
    assert made["sorted indices"].tolist() == [[0, 1], [2, 3]]
    assert made["the last index equal to the one before"].tolist() == [[3, 0], [2, 2]]
    assert sorted(made["indices in another order"].reshape(-1).tolist()) == [0, 1, 2, 3]
    for label, index in made.items():
        assert index.shape == INDEX.shape
        assert index.dtype is INDEX.dtype
        assert int(index.max()) <= 3, label
        assert int(index.min()) >= 0 or label in {"an index of -100", "an index of -1"}
    assert INDEX.tolist() == [[3, 0], [2, 1]]


def test_indices_in_order_stay_in_order() -> None:
    made = indices(torch.tensor([0, 3, 3, 4]))
    assert "a repeated index" in made
    for label, index in made.items():
        assert bool((index[1:] >= index[:-1]).all()) or "an index of -1" in label, label


def test_an_ignored_index_is_tried() -> None:
    made = indices(INDEX)
    assert made["an index of -100"].tolist() == [[3, 0], [2, -100]]
    assert made["an index of -1"].tolist() == [[3, 0], [2, -1]]


def test_masks() -> None:
    made = indices(MASK)
    assert not made["all masked"].any()
    assert made["nothing masked"].all()
    assert torch.equal(made["the opposite mask"], ~MASK)
    assert made["a row of False"].tolist() == [[False, False], [False, False]]
    assert made["a row of True"].tolist() == [[True, True], [False, False]]


def test_floating_point_tensors_are_no_indices() -> None:
    case = case_of(lambda x, y: x, X, X)
    assert list(index_variations(case, seeded(0))) == []
    assert indices(torch.empty(0, dtype=torch.long)) == {}


def test_options() -> None:
    case = case_of(
        lambda x, scale, zero, count, flag, weight, name: x, X, 1.0, 0.0, 3, True, normal(3), "sum"
    )
    made = dict(option_variations(case, seeded(0)))
    changed: dict[int, list] = {}
    for changes in made.values():
        ((place, value),) = changes.items()
        changed.setdefault(place, []).append(value)
    assert changed == {
        0: [None],
        1: [0.7, 1.9],
        2: [pytest.approx(0.07), pytest.approx(0.19)],
        3: [4, 2],
        4: [False],
        5: [None],
    }
    assert {"scale=0.7", "count=4", "flag=False", "weight=None"} <= set(made)
