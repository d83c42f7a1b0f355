"""Indexing and embeddings beside torch's: values, gradients, dtypes; and what is refused."""

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, ones, tensor, zeros

import torchref.functional as R
from tests.functional.refusals import assert_refused, each_of
from tests.functional.side_by_side import (
    assert_error_at_most_twice_torchs,
    assert_same,
    normal,
    value_and_gradients,
)
from tests.ops.catalogue_cases import on_each

DEVICES = ("cpu", pytest.param("cuda", marks=pytest.mark.cuda))
ROWS = tensor([[2, 0, 1], [2, 2, 0], [1, 0, 0], [0, 0, 2]])
FEW = tensor([2, 0, 2, 2])
CASES: dict[str, tuple[Any, ...]] = {
    "gather": ("gather", normal(0, 4, 5), 1, ROWS),
    "gather of the first": ("gather", normal(0, 5, 3), 0, ROWS),
    "gather of one number": ("gather", normal(0), 0, tensor(0)),
    "gather of int32": ("gather", normal(0, 5, 3), 0, ROWS.int()),
    "gather nothing": ("gather", normal(0, 4, 5), -1, ROWS[:0]),
    "scatter_add": ("scatter_add", normal(0, 5, 3), 0, ROWS, normal(1, 4, 3)),
    "scatter_add nothing": ("scatter_add", normal(0, 5, 3), 1, ROWS[:0], normal(1, 0, 3)),
    "index_select": ("index_select", normal(0, 5, 3), -1, FEW),
    "index_select by one number": ("index_select", normal(0, 5, 3), 0, tensor(4)),
    "index_select of one number": ("index_select", normal(0), 0, tensor(0)),
    "index_select nothing": ("index_select", normal(0, 5, 3), 0, FEW[:0]),
    "index_add": ("index_add", normal(0, 5, 3), 0, FEW, normal(1, 4, 3)),
    "index_add along the last": ("index_add", normal(0, 5, 3), 1, FEW, normal(1, 5, 4)),
    "index_add to one number": ("index_add", normal(0), 0, tensor(0), normal(1)),
    "embedding": ("embedding", ROWS, normal(0, 5, 2)),
    "embedding of one": ("embedding", tensor(3), normal(0, 5, 2)),
    "embedding of int32": ("embedding", FEW.int(), normal(0, 5, 2)),
    "embedding of nothing": ("embedding", FEW[:0], normal(0, 5, 2)),
    "embedding with padding": ("embedding", ROWS, normal(0, 5, 2), 0),
    "embedding with padding from the end": ("embedding", ROWS, normal(0, 3, 2), -1),
    "embedding by frequency": ("embedding", ROWS, normal(0, 5, 2), 2, None, 2.0, True),
}
EACH = pytest.mark.parametrize("name", CASES)


def both(
    name: str, change: Callable[[Tensor], Tensor] = lambda x: x, device: str = "cpu"
) -> tuple[Any, Any]:
    function, *arguments = CASES[name]
    torchs = getattr(F if function == "embedding" else torch, function)
    there = tuple(x.to(device) if isinstance(x, Tensor) else x for x in arguments)
    changed = on_each(change, there)
    mine, its = (value_and_gradients(f, *changed) for f in (getattr(R, function), torchs))
    return mine, its


@pytest.mark.parametrize("device", DEVICES)
@EACH
def test_values_and_gradients_are_torchs(name: str, device: str) -> None:
    assert_same(*both(name, device=device))


def test_alpha_counts_what_is_added() -> None:
    arguments = normal(0, 5, 3), 0, FEW, normal(1, 4, 3)
    assert_same(
        value_and_gradients(R.index_add, *arguments, alpha=-0.5),
        value_and_gradients(torch.index_add, *arguments, alpha=-0.5),
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@EACH
def test_the_error_is_at_most_twice_torchs(name: str, dtype: torch.dtype) -> None:
    """Truth is torch's in float64 at the very same rounded inputs."""
    mine, torchs = both(name, lambda x: x.to(dtype))
    _, truth = both(name, lambda x: x.to(dtype).double())
    assert_error_at_most_twice_torchs(mine, torchs, truth, dtype, roundings=2)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_a_row_that_is_taken_often_gets_all_of_its_gradient(dtype: torch.dtype) -> None:
    """In bfloat16 torch's stays at 256, and in float16 at 2048."""
    weight, often = ones(3, 2, dtype=dtype).requires_grad_(), torch.ones(3000, dtype=torch.int64)
    mine, torchs = (
        torch.autograd.grad(library.embedding(often, weight).sum(), weight)[0][1, 0].item()
        for library in (R, F)
    )
    assert mine == pytest.approx(3000, rel=torch.finfo(dtype).eps)
    assert torchs <= 2048


def test_what_of_src_goes_nowhere_has_no_gradient() -> None:
    """torch refuses a backward where src is larger than index."""
    x, src = normal(0, 5, 3), normal(1, 6, 4)
    y, grad_x, grad_src = value_and_gradients(R.scatter_add, x, 0, ROWS, src)
    alone = value_and_gradients(torch.scatter_add, x, 0, ROWS, src[:4, :3])
    assert_same((y, grad_x, grad_src[:4, :3]), alone)
    assert grad_src[4:].count_nonzero() == grad_src[:, 3:].count_nonzero() == 0


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0])
def test_rows_that_are_too_long_are_made_shorter_in_place(norm_type: float) -> None:
    tables = [3 * normal(0, 5, 2).requires_grad_().detach() for _ in range(2)]
    y, its = (
        function(ROWS, table.requires_grad_(), max_norm=1.0, norm_type=norm_type)
        for function, table in zip((R.embedding, F.embedding), tables, strict=True)
    )
    torch.testing.assert_close(y, its, rtol=0, atol=0)
    torch.testing.assert_close(tables[0], tables[1], rtol=0, atol=0)
    of_tables = zip((y, its), tables, strict=True)
    torch.testing.assert_close(*(torch.autograd.grad(y.sum(), table) for y, table in of_tables))


def test_second_order() -> None:
    weight = normal(0, 5, 2).requires_grad_()

    def loss(library: ModuleType, weight: Tensor) -> Tensor:
        torch.manual_seed(0)
        return (library.dropout(library.embedding(ROWS, weight, 0), 0.3) ** 3).sum()

    for library, expected in ((R, F), (F, R)):
        mine, its = (
            torch.autograd.functional.hessian(partial(loss, each), weight)
            for each in (library, expected)
        )
        torch.testing.assert_close(mine, its)


REFUSED = {
    "an index that is not there": (
        lambda: R.gather(ones(3), 0, tensor([0, 3])),
        ("gather: index must lie in [0, 2]", "3 is among it", "Indices count from 0"),
    ),
    "an index from the end": (
        lambda: R.index_select(ones(3), 0, tensor([-1])),
        ("index_select: index must lie in [0, 2]", "-1 is among it", "none counts from the end"),
    ),
    "an index into nothing": (
        lambda: R.embedding(tensor([0]), ones(0, 3)),
        ("embedding: input must lie in [0, -1]", "0 is among it"),
    ),
    "an index of floats": (
        lambda: R.embedding(ones(3), ones(5, 2)),
        ("embedding: input must hold integers", "it is torch.float32", "input.long()"),
    ),
    "weight first": (
        lambda: R.embedding(ones(5, 2), tensor([1])),
        ("embedding: weight must be a real floating-point tensor", "torch.int64"),
    ),
    "an index of fewer dimensions": (
        lambda: R.gather(ones(4, 3), 0, tensor([0])),
        ("gather: index must have the dimensions of input", "(1,)", "(4, 3)", "index_select"),
    ),
    "an index that is too large": (
        lambda: R.gather(ones(4, 2), 0, ROWS),
        ("gather: index must have the dimensions of input and, but along dim, be no larger",),
    ),
    "a src that is too small": (
        lambda: R.scatter_add(ones(4, 3), 0, ROWS, ones(3, 3)),
        ("scatter_add: index must have the dimensions of src", "(4, 3)", "(3, 3)"),
    ),
    "a src of another dtype": (
        lambda: R.scatter_add(ones(4, 3), 0, ROWS, ones(4, 3).double()),
        ("scatter_add: input and src must have the same dtype",),
    ),
    "an index of two dimensions": (
        lambda: R.index_select(ones(4, 3), 0, ROWS),
        ("index_select: index must have one dimension", "(4, 3)", "gather"),
    ),
    "too few slices": (
        lambda: R.index_add(ones(4, 3), 0, FEW, ones(3, 3)),
        ("index_add: source must have the shape of input", "(3, 3)", "4 indices"),
    ),
    "a slice without its dimension": (
        lambda: R.index_add(ones(4, 3), 0, tensor(1), ones(3)),
        ("index_add: source must have the shape of input", "source.unsqueeze(dim)"),
    ),
    "a dimension that there is not": (
        lambda: R.index_select(ones(3), 1, FEW),
        ("index_select: dim must be a dimension of input", "it is 1", "(3,)"),
    ),
    "an output": (
        lambda: R.gather(ones(3), 0, FEW, out=ones(4)),
        ("gather: out must be None",),
    ),
    "a sparse gradient": (
        lambda: R.embedding(FEW, ones(3, 2), sparse=True),
        ("embedding: sparse must be False", "dense"),
    ),
    "a sparse gradient of gather": (
        lambda: R.gather(ones(3), 0, FEW, sparse_grad=True),
        ("gather: sparse_grad must be False",),
    ),
    "a table of three dimensions": (
        lambda: R.embedding(FEW, ones(3, 2, 2)),
        ("embedding: weight must have two dimensions", "(3, 2, 2)"),
    ),
    "padding that there is not": (
        lambda: R.embedding(FEW, ones(3, 2), 3),
        ("embedding: padding_idx must be a row of weight", "it is 3 for 3 rows"),
    ),
    "integers": (
        lambda: R.gather(FEW, 0, FEW),
        ("gather: input must be a real floating-point", "torch.int64"),
    ),
    "an index elsewhere": (
        lambda: R.gather(ones(3), 0, FEW.to("meta")),
        ("gather: index must be on the device of what it counts", "meta"),
    ),
    "a chance above one": (
        lambda: R.dropout(ones(3), 1.5),
        ("dropout: p must lie in [0, 1]", "1.5 arrived"),
    ),
    "a chance that is none": (lambda: R.dropout(ones(3), float("nan")), ("p must lie in [0, 1]",)),
    "dropout in place": (
        lambda: R.dropout(ones(3), inplace=True),
        ("dropout: inplace must be False",),
    ),
    "channels of one dimension": (
        lambda: R.dropout1d(ones(3)),
        ("dropout1d: input must have 2 or 3 dimensions", "(3,)"),
    ),
    "a single picture": (
        lambda: R.dropout2d(zeros(3, 5, 5)),
        ("dropout2d: input must have 4 dimensions", "(3, 5, 5)"),
    ),
}


@each_of(REFUSED)
def test_bad_input_is_refused_with_a_telling_message(
    call: Callable[[], Tensor], words: tuple[str, ...]
) -> None:
    assert_refused(call, words)
