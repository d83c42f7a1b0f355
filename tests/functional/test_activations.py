"""Activations against torch: every option, every kink, low precision, and what is refused."""

import math
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, ones

import torchref.functional as R
from tests.functional.refusals import assert_refused, each_of
from tests.functional.side_by_side import ACTIVATIONS, assert_same, normal, value_and_gradients

DEVICES = ("cpu", pytest.param("cuda", marks=pytest.mark.cuda))
OPTIONS = (
    ("leaky_relu", {"negative_slope": 0.3}),
    ("leaky_relu", {"negative_slope": -0.3}),
    ("elu", {"alpha": 0.5}),
    ("elu", {"alpha": -2.0}),
    ("softplus", {"beta": 2.0}),
    ("softplus", {"beta": -2.0, "threshold": 3.0}),
    ("softplus", {"threshold": 0.5}),
    ("gelu", {"approximate": "tanh"}),
    *((name, {}) for name in ACTIVATIONS),
)
NOT_FLOAT32S_SIXTH = [case for case in OPTIONS if case[0] != "hardsigmoid"]
KINKS = torch.tensor([0.0, -0.0, 3.0, -3.0, 0.5, 1.5, -1.5, 20.0, -20.0, 40.0, -40.0, 1e4, -1e4])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("name", "options"), NOT_FLOAT32S_SIXTH, ids=str)
def test_values_and_gradients_are_torchs(name: str, options: dict[str, Any], device: str) -> None:
    for x in (normal(0, 5, 3), normal(1), normal(2, 0, 3), normal(3, 4, 5).T, KINKS.double()):
        mine, torchs = (
            value_and_gradients(getattr(library, name), x.to(device), **options)
            for library in (R, F)
        )
        assert_same(mine, torchs)


def test_hardsigmoid_is_torchs_but_for_its_sixth() -> None:
    (mine, slope), (torchs, torchs_slope) = (
        value_and_gradients(library.hardsigmoid, KINKS.double()) for library in (R, F)
    )
    assert_same((mine,), (torchs,))
    torch.testing.assert_close(slope, torchs_slope, rtol=2**-24, atol=0)


def finite_values(dtype: torch.dtype) -> Tensor:
    """Every number of a dtype of 16 bits up to 1e4, denormal ones left out."""
    x = torch.arange(-(2**15), 2**15, dtype=torch.int16).view(dtype)
    return x[(x.abs() >= torch.finfo(dtype).tiny) & (x.abs() <= 1e4)]


def value_and_slope(
    function: Callable[..., Tensor], x: Tensor, cotangent: float = 1.0, **options: Any
) -> tuple[Tensor, Tensor]:
    leaf = x.clone().requires_grad_()
    y = function(leaf, **options)
    return y.detach(), *torch.autograd.grad(y, leaf, torch.full_like(y, cotangent))


def assert_at_most_twice_torchs_error(
    mine: Callable[..., Tensor], torchs: Callable[..., Tensor], x: Tensor
) -> None:
    """Entry by entry, above the rounding of a result to its dtype."""
    each = ((mine, x), (torchs, x), (mine, x.double()))
    info = torch.finfo(x.dtype)
    for one, its, true in zip(*(value_and_slope(f, at) for f, at in each), strict=True):
        assert one.dtype == x.dtype
        error, torchs_error = ((y.double() - true).abs() for y in (one, its))
        floor = 0.501 * info.eps * true.abs() + info.smallest_normal
        assert (error <= 2 * torchs_error + floor).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=str)
def test_low_precision_errs_at_most_twice_as_much_as_torchs(
    name: str, options: dict[str, Any], dtype: torch.dtype
) -> None:
    mine, torchs = (partial(getattr(library, name), **options) for library in (R, F))
    assert_at_most_twice_torchs_error(mine, torchs, finite_values(dtype))


def test_more_error_than_that_is_seen() -> None:
    def in_steps(x: Tensor) -> Tensor:
        return x * (1 + torch.tanh(x / 2)) / 2

    with pytest.raises(AssertionError):
        assert_at_most_twice_torchs_error(in_steps, F.silu, finite_values(torch.bfloat16))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=str)
def test_nothing_is_nan_where_torchs_is_not(
    name: str, options: dict[str, Any], dtype: torch.dtype
) -> None:
    """At numbers of any size, and at infinite ones and gradients."""
    largest = torch.finfo(dtype).max
    sizes = torch.tensor([0.0, 1e-30, 1.0, 40.0, 700.0, largest**0.5, largest, math.inf])
    x = torch.cat((sizes, -sizes, torch.tensor([3.0, -3.0, math.nan]))).to(dtype)
    for cotangent in (1.0, math.inf):
        results = (
            value_and_slope(getattr(library, name), x, cotangent, **options) for library in (R, F)
        )
        for mine, torchs in zip(*results, strict=True):
            assert not (mine.isnan() & ~torchs.isnan()).any()


@pytest.mark.parametrize(
    ("shape", "weight"),
    [
        ((), (1,)),
        ((5,), (1,)),
        ((5, 3), (3,)),
        ((5, 3), (1,)),
        ((2, 3, 4), (3,)),
        ((2, 3, 4, 5), (3,)),
        ((0, 3), (3,)),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_prelu_has_a_weight_for_each_channel(
    shape: tuple[int, ...], weight: tuple[int, ...], dtype: torch.dtype
) -> None:
    arguments = normal(0, *shape).to(dtype), normal(1, *weight).to(dtype)

    def rounded_once(x: Tensor, weight: Tensor) -> Tensor:
        return F.prelu(x.double(), weight.double()).to(dtype)

    mine, truth = (value_and_gradients(f, *arguments) for f in (R.prelu, rounded_once))
    torch.testing.assert_close(mine, truth, rtol=4 * torch.finfo(dtype).eps, atol=0)


@pytest.mark.parametrize(("shape", "dim"), [((4,), 0), ((3, 4), -1), ((2, 6, 5), 1), ((0, 4), 1)])
def test_the_second_half_is_the_gate(shape: tuple[int, ...], dim: int) -> None:
    x = normal(0, *shape)
    gates = {R.glu: torch.sigmoid, R.swiglu: F.silu, R.geglu: F.gelu}
    assert_same(value_and_gradients(R.glu, x, dim=dim), value_and_gradients(F.glu, x, dim=dim))
    for function, gate in gates.items():
        value, gating = x.chunk(2, dim)
        assert_same((function(x, dim),), (value * gate(gating),))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", ["glu", "swiglu", "geglu"])
def test_a_gated_unit_in_low_precision_errs_at_most_twice_as_much(
    name: str, dtype: torch.dtype
) -> None:
    gate = {"glu": torch.sigmoid, "swiglu": F.silu, "geglu": F.gelu}[name]

    def steps(x: Tensor) -> Tensor:
        value, gating = x.chunk(2, -1)
        return F.glu(x) if name == "glu" else value * gate(gating)

    x = finite_values(dtype)
    x = torch.stack((torch.full_like(x, 1.5), x), dim=-1)
    assert_at_most_twice_torchs_error(getattr(R, name), steps, x)


REFUSED = {
    "an approximation that there is not": (
        lambda: R.gelu(ones(3), approximate="erf"),
        ("gelu: approximate must be one of none, tanh", "'erf' arrived"),
    ),
    "a softplus without slope": (
        lambda: R.softplus(ones(3), beta=0),
        ("softplus: beta must not be 0", "0 arrived"),
    ),
    "a weight for other channels": (
        lambda: R.prelu(ones(5, 3), ones(4)),
        ("prelu: weight must have one value, or one for each channel", "(4,)", "(5, 3)"),
    ),
    "channels where there are none": (lambda: R.prelu(ones(3), ones(3)), ("prelu: weight", "(3,)")),
    "a weight of two dimensions": (lambda: R.prelu(ones(5, 3), ones(1, 3)), ("(1, 3)",)),
    "a weight of another dtype": (
        lambda: R.prelu(ones(5, 3), ones(3).double()),
        ("prelu: input and weight must have the same dtype",),
    ),
    "an odd number of entries": (
        lambda: R.swiglu(ones(4, 3)),
        ("swiglu: the size of input along dim must be even", "3 in the shape (4, 3) for dim=-1"),
    ),
    "a dimension that there is not": (
        lambda: R.glu(ones(4, 2), dim=2),
        ("glu: dim must be a dimension of input", "it is 2", "(4, 2)"),
    ),
    "no dimension at all": (lambda: R.geglu(ones(())), ("geglu: dim must be", "()")),
    "integers": (
        lambda: R.silu(torch.arange(3)),
        ("silu: input must be a real floating-point", "torch.int64"),
    ),
}


@each_of(REFUSED)
def test_bad_input_is_refused_with_a_telling_message(
    call: Callable[[], Tensor], words: tuple[str, ...]
) -> None:
    assert_refused(call, words)


IN_PLACE = ("elu", "hardsigmoid", "hardswish", "leaky_relu", "mish", "relu", "selu", "silu")


def in_place(library: ModuleType, name: str, leaf: Tensor) -> tuple[Tensor, ...]:
    """The value, what else looks at the input afterwards, and the gradient of both."""
    x = leaf * 2
    alias = x.view(-1)
    y = getattr(library, name)(x, inplace=True)
    assert y.data_ptr() == x.data_ptr()
    (grad,) = torch.autograd.grad((y * alias.view_as(y)).sum(), leaf)
    return y, alias, grad


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_is_as_torchs(name: str, dtype: torch.dtype) -> None:
    leaf = normal(0, 5, 3).to(dtype).requires_grad_()
    eps = torch.finfo(dtype).eps
    for mine, its in zip(in_place(R, name, leaf), in_place(F, name, leaf), strict=True):
        torch.testing.assert_close(mine, its, rtol=8 * eps, atol=8 * eps)


@pytest.mark.parametrize("name", IN_PLACE)
def test_a_leaf_is_not_written_into(name: str) -> None:
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        getattr(R, name)(normal(0, 3).requires_grad_(), inplace=True)
