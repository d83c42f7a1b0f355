"""The softmax and its relatives beside torch's: every dim and dtype, extremes, and refusals."""

import inspect
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, ones

import torchref.functional as R
from tests.functional.refusals import assert_refused, each_of
from tests.functional.side_by_side import (
    ROUNDINGS,
    assert_error_at_most_twice_torchs,
    assert_same,
    normal,
    value_and_gradients,
)
from tests.ops.catalogue_cases import TORCH_MAKES_INSTANCES

DEVICES = ("cpu", pytest.param("cuda", marks=pytest.mark.cuda))
INF = math.inf
TORCHS: dict[str, Callable[..., Tensor]] = {
    "softmax": F.softmax,
    "log_softmax": F.log_softmax,
    "logsumexp": torch.logsumexp,
}
EACH = pytest.mark.parametrize("name", TORCHS)
SHAPES = ((5, 3), (7,), (2, 3, 4), (), (0, 3), (3, 0), (5, 1), (1, 5))


@pytest.mark.parametrize("device", DEVICES)
@EACH
def test_values_and_gradients_along_any_dim_are_torchs(name: str, device: str) -> None:
    for shape in SHAPES:
        x = (3 * normal(0, *shape)).to(device)
        for dim in range(-max(x.dim(), 1), max(x.dim(), 1)):
            mine, torchs = (
                value_and_gradients(f, x, dim) for f in (getattr(R, name), TORCHS[name])
            )
            assert_same(mine, torchs)


@pytest.mark.parametrize("dim", [0, -1, (0,), (0, 2), [1, -1], (0, 1, 2)], ids=str)
@pytest.mark.parametrize("keepdim", [False, True])
def test_several_dims_are_summed_together(dim: Any, keepdim: bool) -> None:
    x = normal(0, 2, 3, 4)
    mine, torchs = (value_and_gradients(f, x, dim, keepdim) for f in (R.logsumexp, torch.logsumexp))
    assert_same(mine, torchs)


def test_the_sum_of_exponentials_of_integers_is_torchs() -> None:
    for x in (torch.arange(3), torch.tensor([True, False])):
        assert_same((R.logsumexp(x, 0),), (torch.logsumexp(x, 0),))
    assert R.logsumexp(torch.empty(5, 0), 1).tolist() == 5 * [-INF]


def test_the_signature_of_logsumexp_is_torchs() -> None:
    written = [str(p) for p in inspect.signature(R.logsumexp).parameters]
    assert f"{', '.join(written[:2])}, keepdim=False, *, out=None" in torch.logsumexp.__doc__
    assert inspect.signature(R.logsumexp).parameters["keepdim"].default is False


@pytest.mark.parametrize("to", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_input_is_converted_first(name: str, to: torch.dtype) -> None:
    for x in (normal(0, 5, 3).float(), 3 * normal(0, 5, 3).bfloat16(), torch.arange(6)):
        mine, torchs = (getattr(p, name)(x, 0, dtype=to) for p in (R, F))
        assert mine.dtype == torchs.dtype == to
        torch.testing.assert_close(
            mine, torchs, rtol=4 * torch.finfo(to).eps, atol=torch.finfo(to).eps
        )


@pytest.mark.parametrize("shape", [(5, 3), (7,), (2, 3, 4), (2, 3, 4, 5), ()], ids=str)
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_without_a_dim_it_warns_and_takes_torchs(name: str, shape: tuple[int, ...]) -> None:
    x = normal(0, *shape)
    results = []
    for package in (R, F):
        with pytest.warns(UserWarning, match=f"Implicit dimension choice for {name}") as warned:
            results.append(getattr(package, name)(x))
        assert warned[0].filename == __file__
    assert_same(*((result,) for result in results))


@pytest.mark.parametrize("dtype", ROUNDINGS, ids=str)
@pytest.mark.parametrize("scale", [0.1, 3.0, 30.0])
@EACH
def test_the_error_is_at_most_twice_torchs(name: str, scale: float, dtype: torch.dtype) -> None:
    x = (scale * normal(0, 50, 40)).to(dtype)
    mine, torchs = (value_and_gradients(f, x, -1) for f in (getattr(R, name), TORCHS[name]))
    truth = value_and_gradients(TORCHS[name], x.double(), -1)
    assert_error_at_most_twice_torchs(mine, torchs, truth, dtype, ROUNDINGS[dtype], least=0)


@pytest.mark.parametrize("spoilt", [1.02, torch.nan])
def test_more_error_than_that_is_seen(spoilt: float) -> None:
    true = torch.softmax(normal(0, 50, 40), -1)
    low = true.bfloat16()
    with pytest.raises(AssertionError, match="beside torch's"):
        assert_error_at_most_twice_torchs((low * spoilt,), (low,), (true,), low.dtype, 2, least=0)


SPECIAL = ([INF, 0.0], [INF, INF], [-INF, 0.0], [-INF, -INF], [INF, -INF], [math.nan, 0.0])


@pytest.mark.parametrize("row", SPECIAL, ids=str)
@EACH
def test_nothing_is_nan_where_torchs_is_not(name: str, row: list[float]) -> None:
    for cotangent in (1.0, 0.0, INF):
        x = torch.tensor([row, [1.0, 2.0]], requires_grad=True)
        results = []
        for function in (getattr(R, name), TORCHS[name]):
            y = function(x, -1)
            results.append((y, *torch.autograd.grad(y, x, torch.full_like(y, cotangent))))
        for mine, torchs in zip(*results, strict=True):
            assert not (mine.isnan() & ~torchs.isnan()).any()
        y, torchs_y = results[0][0], results[1][0]
        torch.testing.assert_close(
            torch.where(torchs_y.isnan(), torchs_y, y), torchs_y, equal_nan=True
        )


@pytest.mark.parametrize(
    ("row", "slope"),
    [
        ([INF, 0.0], [1.0, 0.0]),
        ([INF, INF], [0.5, 0.5]),
        ([-INF, -INF], [0.5, 0.5]),
        ([-INF, 0.0], [0.0, 1.0]),
    ],
    ids=str,
)
def test_the_slope_at_infinity_is_what_the_softmax_tends_to(row, slope) -> None:
    """torch's is NaN there."""
    x = torch.tensor(row, requires_grad=True)
    (grad_x,) = torch.autograd.grad(R.logsumexp(x, 0), x)
    assert grad_x.tolist() == slope


def test_large_numbers_keep_the_digits_of_the_slope() -> None:
    """torch's exp(x − y) has those of y − x alone: y has 4 before its point."""
    x = torch.tensor([3000.0, 3000.7], requires_grad=True)
    (mine,), (torchs,) = (torch.autograd.grad(f(x, 0), x) for f in (R.logsumexp, torch.logsumexp))
    true = x.detach().double().softmax(0)
    assert (mine - true).abs().max() < 1e-7 < 1e-5 < (torchs - true).abs().max()


def test_sparsemax_is_the_nearest_point_of_the_simplex() -> None:
    """Moving any share from one entry to another one makes it no nearer."""
    for dim in (0, 1, -1):
        x = normal(0, 5, 3, 4)
        y = R.sparsemax(x, dim)
        torch.testing.assert_close(y.sum(dim), ones(y.sum(dim).shape).double())
        assert (y >= 0).all()
        slope, y = ((y - x).movedim(dim, -1), y.movedim(dim, -1))
        lowest = slope.amin(-1, keepdim=True)
        assert (torch.where(y > 0, slope - lowest, 0).abs() < 1e-14).all()
        assert (y == 0).any()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_sparsemax_rounds_once_in_low_precision(dtype: torch.dtype) -> None:
    x = normal(0, 50, 40).to(dtype)
    y, true = R.sparsemax(x), R.sparsemax(x.double())
    assert y.dtype == dtype
    assert ((y.double() - true).abs() <= torch.finfo(dtype).eps * true + 1e-6).all()


@pytest.mark.filterwarnings(TORCH_MAKES_INSTANCES)
@pytest.mark.parametrize("name", [*TORCHS, "sparsemax"])
def test_it_compiles_in_one_graph_and_maps(name: str) -> None:
    function, x = getattr(R, name), normal(0, 5, 3, 4)
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    assert_same(value_and_gradients(compiled, x, 1), value_and_gradients(function, x, 1))
    torch.compiler.reset()
    mapped = torch.func.vmap(lambda x: function(x, 1))(x)
    assert_same((mapped,), (torch.stack([function(each, 1) for each in x]),))


REFUSED = {
    "a dimension that there is not": (
        lambda: R.softmax(ones(5, 3), 2),
        ("softmax: dim must be a dimension of input", "it is 2", "(5, 3)"),
    ),
    "a second dimension of a number": (
        lambda: R.log_softmax(ones(()), 1),
        ("log_softmax: dim must be a dimension of input", "it is 1"),
    ),
    "integers": (
        lambda: R.softmax(torch.arange(3), 0),
        ("softmax: input must be a real floating-point", "torch.int64"),
    ),
    "integers to be": (
        lambda: R.softmax(ones(3), 0, dtype=torch.int64),
        ("softmax: dtype must be a real floating-point one", "torch.int64"),
    ),
    "complex numbers": (
        lambda: R.logsumexp(ones(3) * 1j, 0),
        ("logsumexp: input must be a real", "real and imaginary part"),
    ),
    "a dimension twice": (
        lambda: R.logsumexp(ones(5, 3), (1, -1)),
        ("logsumexp: dim must name each dimension once", "(1, -1)"),
    ),
    "no dimension": (
        lambda: R.logsumexp(ones(5, 3), ()),
        ("logsumexp: dim must be a dimension of input", "it is none"),
    ),
    "an output": (
        lambda: R.logsumexp(ones(3), 0, out=ones(())),
        ("logsumexp: out must be None",),
    ),
    "a list": (
        lambda: R.sparsemax([1.0, 2.0]),
        ("sparsemax: input must be a tensor", "a list arrived"),
    ),
}


@each_of(REFUSED)
def test_bad_input_is_refused_with_a_telling_message(
    call: Callable[[], Tensor], words: tuple[str, ...]
) -> None:
    assert_refused(call, words)
