"""The cross-entropy against torch's, for every kind of target, rank, reduction and option."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import torchref.functional as R
from tests.functional.side_by_side import assert_same, chance, normal, value_and_gradients
from tests.ops.catalogue_cases import TORCH_MAKES_INSTANCES
from torchref.errors import InputError

REDUCTIONS = ("mean", "sum", "none")
SHAPES = ((5, 3), (4,), (2, 5, 3), (2, 5, 3, 4), (0, 3), (5, 1))
OPTIONS = ({}, {"label_smoothing": 0.1}, {"weight": "a"}, {"weight": "a", "label_smoothing": 0.3})


def classes_of(shape: tuple[int, ...]) -> int:
    return shape[min(1, len(shape) - 1)]


def numbers(seed: int, shape: tuple[int, ...]) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    without = (*shape[:1], *shape[2:]) if len(shape) > 1 else ()
    return torch.randint(classes_of(shape), without, generator=generator)


def filled(options: dict[str, object], shape: tuple[int, ...]) -> dict[str, object]:
    return options | ({"weight": chance(7, classes_of(shape))} if "weight" in options else {})


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_class_numbers_as_torch(shape, reduction: str, options: dict[str, object]) -> None:
    options = filled(options, shape) | {"reduction": reduction}
    for seed in range(3):
        x, target = normal(seed, *shape), numbers(seed, shape)
        both = [
            value_and_gradients(lambda x, f=f, t=target: f(x, t, **options), x)
            for f in (R.cross_entropy, F.cross_entropy)
        ]
        assert_same(*both)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_probabilities_as_torch(shape, reduction: str, options: dict[str, object]) -> None:
    options = filled(options, shape) | {"reduction": reduction}
    for seed in range(3):
        pair = normal(seed, *shape), chance(10 + seed, *shape)
        assert_same(
            value_and_gradients(R.cross_entropy, *pair, **options),
            value_and_gradients(F.cross_entropy, *pair, **options),
        )


@pytest.mark.parametrize("ignored", [-100, 1])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_ignored_rows_do_not_count(options, reduction: str, ignored: int) -> None:
    options = filled(options, (6, 3)) | {"reduction": reduction, "ignore_index": ignored}
    target = torch.tensor([0, ignored, 2, 1, ignored, 2])
    if ignored == 1:
        target[3] = 0
    both = [
        value_and_gradients(lambda x, f=f: f(x, target, **options), normal(0, 6, 3))
        for f in (R.cross_entropy, F.cross_entropy)
    ]
    assert_same(*both)


def test_an_ignore_index_that_no_class_has_may_stand_beside_probabilities() -> None:
    pair = normal(0, 5, 3), chance(1, 5, 3)
    assert torch.equal(R.cross_entropy(*pair, ignore_index=-1), R.cross_entropy(*pair))


def test_a_mean_over_nothing_is_nan_as_torchs() -> None:
    target = torch.full((3,), -100)
    assert R.cross_entropy(normal(0, 3, 2), target).isnan()
    assert F.cross_entropy(normal(0, 3, 2), target).isnan()


@pytest.mark.filterwarnings(TORCH_MAKES_INSTANCES)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_it_compiles_in_one_graph(options: dict[str, object]) -> None:
    options = filled(options, (5, 3))
    compiled = torch.compile(R.cross_entropy, fullgraph=True, backend="aot_eager")
    x, target = normal(0, 5, 3), torch.tensor([0, 2, 1, -100, 2])
    both = [
        value_and_gradients(lambda x, f=f: f(x, target, **options), x)
        for f in (compiled, R.cross_entropy)
    ]
    assert_same(*both)
    torch.compiler.reset()


def test_under_vmap_it_is_a_loop() -> None:
    x, target = normal(0, 4, 5, 3), torch.randint(3, (4, 5))
    mapped = torch.func.vmap(R.cross_entropy)(x, target)
    expected = torch.stack([F.cross_entropy(a, b) for a, b in zip(x, target, strict=True)])
    torch.testing.assert_close(mapped, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((torch.zeros(5, 3), torch.zeros(4).long()), {}, r"input has shape \(5, 3\) and target"),
        ((torch.zeros(5, 3), torch.zeros(5)), {}, "Class numbers are target.long"),
        ((torch.zeros(5, 3), torch.full((5,), 3)), {}, r"must lie in \[0, 2\].* 3 is among them"),
        ((torch.zeros(2, 3), torch.tensor([-100, -1])), {}, r"ignore_index, but -1 is among them"),
        ((torch.zeros(()), torch.tensor(0)), {}, r"one class or more.* it has shape \(\)"),
        ((torch.zeros(2, 0), torch.zeros(2, 0)), {}, r"one class or more.* shape \(2, 0\)"),
        ((torch.zeros(2, 3), None), {}, "target must be a tensor, but it is None"),
        ((torch.zeros(2, 3), [0, 1]), {}, "target must be a tensor, but a list arrived"),
        ((torch.zeros(2, 3), torch.zeros(2) * 1j), {}, "it is torch.complex64"),
        ((torch.zeros(2, 3), torch.zeros(2, 3)), {"ignore_index": 0}, "must be left out where"),
        (
            (torch.zeros(5, 3), torch.zeros(5).long()),
            {"weight": torch.ones(2)},
            "one entry a class",
        ),
        ((torch.zeros(5, 3), torch.zeros(5).long()), {"label_smoothing": 1.5}, r"\[0, 1\]"),
        ((torch.zeros(5, 3), torch.zeros(5).long()), {"reduction": "avg"}, "reduction must be"),
        ((torch.zeros(5, 3).long(), torch.zeros(5).long()), {}, "real floating-point"),
        ((torch.zeros(5, 3), torch.zeros(5, 3).double()), {}, "same dtype"),
    ],
)
def test_bad_input_is_refused(arguments, options, words: str) -> None:
    with pytest.raises(InputError, match=words):
        R.cross_entropy(*arguments, **options)


INF = float("inf")
RULED_OUT = torch.tensor([[1.0, -INF, 0.5], [-INF, -INF, 2.0], [0.0, 1.0, -INF]]).double()


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("target", [(0, 2, 1), (1, 2, 1)], ids=["possible", "ruled out"])
def test_a_class_that_is_ruled_out_costs_nothing_unless_it_is_the_target(
    target: tuple[int, ...], reduction: str
) -> None:
    both = [
        value_and_gradients(
            lambda x, f=f: f(x, torch.tensor(target), reduction=reduction), RULED_OUT
        )
        for f in (R.cross_entropy, F.cross_entropy)
    ]
    assert both[0][0].isinf().any() == (target[0] == 1)
    assert_same(*both)


def test_what_stands_in_a_row_that_does_not_count_is_not_looked_at() -> None:
    x = torch.tensor([[float("nan"), 1.0], [INF, 0.0], [-INF, 0.0], [0.5, -1.0]])
    target = torch.tensor([-100, -100, -100, 1])
    torch.testing.assert_close(R.cross_entropy(x, target), F.cross_entropy(x, target))
