"""Pooling beside torch's: every option, ties, places, low precision, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, ones

import torchref.functional as R
from tests.functional.refusals import assert_refused, each_of
from tests.functional.side_by_side import (
    assert_error_at_most_twice_torchs,
    assert_same,
    normal,
    value_and_gradients,
)

DEVICES = ("cpu", pytest.param("cuda", marks=pytest.mark.cuda))
X = {
    1: normal(0, 2, 3, 9),
    2: normal(0, 2, 3, 7, 6),
    3: normal(0, 2, 3, 5, 4, 3),
}
TIES = {rank: x.sign() for rank, x in X.items()}
SHARED: tuple[tuple[tuple[Any, ...], dict[str, Any]], ...] = (
    ((2,), {}),
    ((3,), {"stride": 1}),
    ((3,), {"stride": 2, "padding": 1}),
    (([2],), {"stride": [], "ceil_mode": True}),
    ((3, 2, 1), {"ceil_mode": True}),
)
OF_MAXIMUM = (*SHARED, ((2,), {"dilation": 2}), ((3, 1, 1, 1, True), {}))
OF_AVERAGE = (
    *SHARED,
    ((3, 2, 1), {"count_include_pad": False}),
    ((3, 2, 1, True, False), {}),
    ((2, None, 1), {"ceil_mode": True}),
)
OF_PLANES = (((2, 3), {"divisor_override": 5}), (((3, 2), (1, 2), (1, 0)), {"ceil_mode": True}))
Call = tuple[str, Tensor, tuple[Any, ...], dict[str, Any]]
CALLS: list[Call] = [
    *((f"max_pool{r}d", x, *o) for r in X for x in (X[r], TIES[r], X[r][0]) for o in OF_MAXIMUM),
    *((f"avg_pool{r}d", x, *o) for r in X for x in (X[r], X[r][0]) for o in OF_AVERAGE),
    *(("avg_pool2d", X[2], *o) for o in OF_PLANES),
    ("max_pool2d", X[2], ((3, 2), (1, 2), (1, 0), (1, 2)), {}),
    *((f"{kind}_pool{r}d", X[r][:0], (2,), {}) for r in (1, 2) for kind in ("avg", "max")),
    *(
        (f"adaptive_{kind}_pool{r}d", x, (size,), {})
        for kind in ("avg", "max")
        for r in X
        for x in (X[r], X[r][0], TIES[r], X[r][:0])
        for size in (1, 2, 5)
    ),
    *((f"adaptive_{kind}_pool2d", X[2], ((None, 4),), {}) for kind in ("avg", "max")),
    *((f"adaptive_{kind}_pool2d", X[2], ([3, 2],), {}) for kind in ("avg", "max")),
]
EACH = pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0]}-{call[2:]}")


def both(call: Call, change: Callable[[Tensor], Tensor] = lambda x: x) -> tuple[Any, Any]:
    name, x, arguments, options = call
    mine, torchs = (
        value_and_gradients(getattr(library, name), change(x), *arguments, **options)
        for library in (R, F)
    )
    return mine, torchs


@pytest.mark.parametrize("device", DEVICES)
@EACH
def test_values_and_gradients_are_torchs(call: Call, device: str) -> None:
    assert_same(*both(call, lambda x: x.to(device)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@EACH
def test_the_error_is_at_most_twice_torchs(call: Call, dtype: torch.dtype) -> None:
    """Truth is torch's in float64 at the very same rounded inputs."""
    if call[0] == "avg_pool3d" and dtype != torch.float32:
        pytest.skip("torch has no avg_pool3d in 16 bits on the CPU to compare with")
    mine, torchs = both(call, lambda x: x.to(dtype))
    _, truth = both(call, lambda x: x.to(dtype).double())
    assert_error_at_most_twice_torchs(mine, torchs, truth, dtype, roundings=1)


OF_LARGEST = [call for call in CALLS if "max" in call[0]]


@pytest.mark.parametrize("call", OF_LARGEST, ids=lambda call: f"{call[0]}-{call[2:]}")
def test_the_places_of_the_largest_are_torchs(call: Call) -> None:
    name, x, arguments, options = call
    if x.shape[0] == 0:
        pytest.skip("an empty batch has no examples to map over")
    mine, torchs = (
        getattr(library, name)(x, *arguments, return_indices=True, **options) for library in (R, F)
    )
    torch.testing.assert_close(mine, torchs, rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d", "adaptive_avg_pool2d"])
def test_nothing_is_nan_where_torchs_is_not(name: str, dtype: torch.dtype) -> None:
    for place, value in ((4, torch.inf), (4, -torch.inf), (4, torch.nan), (None, 0)):
        x = X[2].to(dtype, copy=True)
        x[0, 0, 3, place] = value

        def of(library: Any, x: Tensor = x) -> tuple[Tensor, ...]:
            leaf = x.clone().requires_grad_()
            y = getattr(library, name)(leaf, 3)
            cotangent = torch.zeros_like(y)
            cotangent[0, 0, 0, 0] = torch.inf
            return y, *torch.autograd.grad(y, leaf, cotangent)

        for mine, its in zip(of(R), of(F), strict=True):
            assert not (mine.isnan() & ~its.isnan()).any()


def test_an_infinite_gradient_stays_in_its_window() -> None:
    x = ones(1, 1, 6).requires_grad_()
    y = R.avg_pool1d(x, 2)
    (grad_x,) = torch.autograd.grad(y, x, torch.tensor([[[torch.inf, 1.0, 0.0]]]))
    assert grad_x.tolist() == [[[torch.inf, torch.inf, 0.5, 0.5, 0.0, 0.0]]]


@pytest.mark.parametrize("name", ["max_pool1d", "avg_pool1d"])
def test_second_order_is_torchs(name: str) -> None:
    def of(library: Any) -> Tensor:
        x = X[1].clone().requires_grad_()
        y = getattr(library, name)(x, 3, 2, 1)
        (grad_x,) = torch.autograd.grad((y**3).sum(), x, create_graph=True)
        return torch.autograd.grad((grad_x**2).sum(), x)[0]

    torch.testing.assert_close(of(R), of(F), rtol=1e-12, atol=1e-12)


REFUSED = {
    "an input of one dimension": (
        lambda: R.max_pool1d(ones(5), 2),
        ("max_pool1d: input must have 1 dimensions behind its channels", "(5,)"),
    ),
    "no channels": (
        lambda: R.avg_pool1d(ones(2, 0, 5), 2),
        ("avg_pool1d: input must have 1 dimensions", "none empty but the batch", "(2, 0, 5)"),
    ),
    "a window of nothing": (
        lambda: R.max_pool1d(ones(2, 3, 5), 0),
        ("max_pool1d: kernel_size must be a whole number of at least 1", "0 arrived"),
    ),
    "no step": (
        lambda: R.max_pool1d(ones(2, 3, 5), 2, 0),
        ("max_pool1d: stride must be a whole number of at least 1", "0 arrived"),
    ),
    "too much padding": (
        lambda: R.avg_pool1d(ones(2, 3, 5), 3, padding=2),
        ("avg_pool1d: padding must be at most half of a window", "(2,)", "(3,)"),
    ),
    "a window that is too long": (
        lambda: R.max_pool1d(ones(2, 3, 5), 3, dilation=3),
        ("max_pool1d: a window must not be longer than the padded input", "(7,)", "(2, 3, 5)"),
    ),
    "a window of padding alone": (
        lambda: R.max_pool1d(ones(2, 3, 1), 2, 1, 1, 2),
        ("max_pool1d: each window must take an entry of input", "(2,)", "(2, 3, 1)"),
    ),
    "three sizes for two dimensions": (
        lambda: R.avg_pool2d(ones(2, 3, 5, 5), (2, 2, 2)),
        ("avg_pool2d: kernel_size must be a whole number of at least 1, or a tuple of 2",),
    ),
    "a divisor of 0": (
        lambda: R.avg_pool2d(ones(2, 3, 5, 5), 2, divisor_override=0),
        ("avg_pool2d: divisor_override must not be 0", "0 arrived"),
    ),
    "no parts": (
        lambda: R.adaptive_avg_pool1d(ones(2, 3, 5), 0),
        ("adaptive_avg_pool1d: output_size must be a whole number of at least 1", "0 arrived"),
    ),
    "no size at all": (
        lambda: R.adaptive_avg_pool2d(ones(2, 3, 5, 5), None),
        ("adaptive_avg_pool2d: output_size must be a whole number", "None arrived"),
    ),
    "integers": (
        lambda: R.max_pool1d(ones(2, 3, 5).long(), 2),
        ("max_pool1d: input must be a real floating-point tensor", "torch.int64"),
    ),
}


@each_of(REFUSED)
def test_bad_input_is_refused_with_a_telling_message(
    call: Callable[[], Tensor], words: tuple[str, ...]
) -> None:
    assert_refused(call, words)
