"""Convolutions beside torch's: every option, second order, low precision, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, ones, zeros

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
X1, W1 = normal(0, 2, 4, 9), normal(1, 6, 4, 3)
X2, W2 = normal(0, 2, 4, 7, 6), normal(1, 6, 4, 3, 2)
B = normal(2, 6)
OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"stride": 2},
    {"padding": 2},
    {"dilation": 2},
    {"stride": (3,), "padding": [1], "dilation": 2},
    {"padding": "valid"},
    {"padding": "same"},
    {"padding": "same", "dilation": 3},
)
OPTIONS_OF_TWO: tuple[dict[str, Any], ...] = (
    {},
    {"stride": (2, 1), "padding": (0, 1), "dilation": (1, 2)},
    {"padding": "same", "dilation": (1, 3)},
    {"stride": [3], "padding": (4, 3)},
)
Call = tuple[str, tuple[Any, ...], dict[str, Any]]
CONVOLUTIONS: dict[str, Call] = {
    **{f"conv1d {o}": ("conv1d", (X1, W1, B), o) for o in OPTIONS},
    **{f"conv2d {o}": ("conv2d", (X2, W2, B), o) for o in OPTIONS_OF_TWO},
    "conv1d without bias": ("conv1d", (X1, W1), {}),
    "conv1d of one example": ("conv1d", (X1[0], W1, B), {"stride": 2}),
    "conv1d of no example": ("conv1d", (X1[:0], W1, B), {}),
    "conv1d in groups": ("conv1d", (X1, W1[:, :2], B), {"groups": 2, "stride": 2}),
    "conv1d of each channel": ("conv1d", (X1, normal(1, 8, 1, 3)), {"groups": 4}),
    "conv1d with an even size": ("conv1d", (X1, normal(1, 6, 4, 4), B), {"padding": "same"}),
    "conv1d of size one": ("conv1d", (X1, normal(1, 6, 4, 1), B), {"stride": 2}),
    "conv2d of one example": ("conv2d", (X2[0], W2, B), {}),
    "conv2d in groups": ("conv2d", (X2, W2[:, :2], B), {"groups": 2, "padding": 1}),
    "conv3d": (
        "conv3d",
        (normal(0, 2, 2, 5, 4, 3), normal(1, 4, 1, 3, 2, 1), normal(2, 4)),
        {"groups": 2, "stride": (2, 1, 1), "padding": (1, 0, 2)},
    ),
    "conv3d the same": (
        "conv3d",
        (normal(0, 2, 2, 5, 4, 3), normal(1, 4, 2, 2, 3, 1)),
        {"padding": "same"},
    ),
}
T1, V1 = normal(0, 2, 4, 5), normal(1, 4, 3, 3)
T2, V2 = normal(0, 2, 4, 5, 3), normal(1, 4, 3, 3, 2)
OPTIONS_OF_TRANSPOSED: tuple[dict[str, Any], ...] = (
    {},
    {"stride": 2},
    {"padding": 2},
    {"dilation": 2},
    {"stride": 3, "output_padding": 2},
    {"dilation": 3, "output_padding": 2},
    {"stride": (2,), "padding": [1], "dilation": 3, "output_padding": 1},
)
TRANSPOSED: dict[str, Call] = {
    **{
        f"conv_transpose1d {o}": ("conv_transpose1d", (T1, V1, B[:3]), o)
        for o in OPTIONS_OF_TRANSPOSED
    },
    "conv_transpose1d without bias": ("conv_transpose1d", (T1, V1), {}),
    "conv_transpose1d of one example": ("conv_transpose1d", (T1[0], V1, B[:3]), {"stride": 2}),
    "conv_transpose1d of no example": ("conv_transpose1d", (T1[:0], V1, B[:3]), {}),
    "conv_transpose1d in groups": ("conv_transpose1d", (T1, V1, B), {"groups": 2, "stride": 2}),
    "conv_transpose2d": (
        "conv_transpose2d",
        (T2, V2, B[:3]),
        {"stride": (3, 2), "padding": (2, 0), "dilation": (1, 2), "output_padding": (1, 0)},
    ),
    "conv_transpose2d in groups": ("conv_transpose2d", (T2[0], V2, B), {"groups": 2}),
    "conv_transpose3d": (
        "conv_transpose3d",
        (normal(0, 2, 4, 3, 2, 1), normal(1, 4, 2, 2, 3, 2), normal(2, 4)),
        {"groups": 2, "stride": 2, "output_padding": (1, 0, 1)},
    ),
}
CASES = CONVOLUTIONS | TRANSPOSED
EACH = pytest.mark.parametrize("name", CASES)


def both(name: str, change: Callable[[Tensor], Tensor] = lambda x: x) -> tuple[Any, Any]:
    function, arguments, options = CASES[name]
    changed = on_each(change, arguments)
    mine, torchs = (
        value_and_gradients(getattr(library, function), *changed, **options) for library in (R, F)
    )
    return mine, torchs


# An even weight needs a zero more behind than in front, of which torch warns.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")


@pytest.mark.parametrize("device", DEVICES)
@EACH
def test_values_and_gradients_are_torchs(name: str, device: str) -> None:
    mine, torchs = both(name, lambda x: x.to(device))
    torch.testing.assert_close(mine, torchs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@EACH
def test_the_error_is_at_most_twice_torchs(name: str, dtype: torch.dtype) -> None:
    """Truth is torch's in float64 at the very same rounded inputs."""
    mine, torchs = both(name, lambda x: x.to(dtype))
    _, truth = both(name, lambda x: x.to(dtype).double())
    assert_error_at_most_twice_torchs(mine, torchs, truth, dtype, roundings=2)


def test_in_float16_the_gradient_of_the_weight_has_more_digits_than_torchs() -> None:
    x, weight = normal(0, 8, 2, 14, 14).half(), normal(1, 4, 2, 3, 3).half()
    true = value_and_gradients(F.conv2d, x.double(), weight.double(), padding=1)[2]
    mine, torchs = (
        (value_and_gradients(library.conv2d, x, weight, padding=1)[2] - true).abs().max().item()
        for library in (R, F)
    )
    assert mine <= torch.finfo(torch.float16).eps / 2 * true.abs().max().item()
    assert torchs >= 2 * mine


@pytest.mark.parametrize("name", ["conv1d {'stride': 2}", "conv2d in groups", "conv_transpose2d"])
def test_second_order_is_torchs(name: str) -> None:
    function, arguments, options = CASES[name]

    def of(library: Any) -> list[Tensor]:
        leaves = [x.detach().requires_grad_() for x in arguments]
        y = getattr(library, function)(*leaves, **options)
        grads = torch.autograd.grad((y**3).sum(), leaves, create_graph=True)
        objective = sum((grad**2).sum() for grad in grads)
        return list(torch.autograd.grad(objective, leaves))

    for mine, its in zip(of(R), of(F), strict=True):
        torch.testing.assert_close(mine, its, rtol=1e-10, atol=1e-10 * its.abs().max().item())


def test_channels_last_changes_nothing() -> None:
    last = X2.to(memory_format=torch.channels_last)
    assert_same(value_and_gradients(R.conv2d, last, W2), value_and_gradients(R.conv2d, X2, W2))


@pytest.mark.parametrize("infinite", ["input", "weight", "grad_y"])
def test_nothing_is_nan_where_torchs_is_not(infinite: str) -> None:
    def of(library: Any) -> tuple[Tensor, ...]:
        x, weight = X1.clone(), W1.clone()
        {"input": x, "weight": weight}.get(infinite, x)[0, 0, 1] = torch.inf
        x, weight = (X1 if infinite == "grad_y" else x).requires_grad_(), weight.requires_grad_()
        y = library.conv1d(x, weight, stride=2)
        cotangent = zeros(y.shape).double()
        if infinite == "grad_y":
            cotangent[0, 0, 1] = torch.inf
        return y, *torch.autograd.grad(y, (x, weight), cotangent)

    for mine, its in zip(of(R), of(F), strict=True):
        assert not (mine.isnan() & ~its.isnan()).any()


REFUSED = {
    "an input of one dimension": (
        lambda: R.conv1d(ones(5), ones(3, 1, 2)),
        ("conv1d: input must have 1 dimensions behind its channels", "(5,)", "(N, C, ...)"),
    ),
    "an empty input": (
        lambda: R.conv1d(ones(2, 4, 0), ones(3, 4, 2)),
        ("conv1d: input must have 1 dimensions", "none empty but the batch", "(2, 4, 0)"),
    ),
    "channels that differ": (
        lambda: R.conv1d(ones(2, 3, 5), ones(4, 2, 2)),
        ("conv1d: weight must have the shape (out, in / groups, size)", "(4, 2, 2)", "(2, 3, 5)"),
    ),
    "a weight the other way round": (
        lambda: R.conv_transpose1d(ones(2, 3, 5), ones(4, 3, 2)),
        ("conv_transpose1d: weight must have the shape (in, out / groups, size)", "way round"),
    ),
    "a weight of another rank": (
        lambda: R.conv2d(ones(2, 3, 5, 5), ones(4, 3, 2)),
        ("conv2d: weight must have the shape (out, in / groups, size, size)", "(4, 3, 2)"),
    ),
    "groups that do not divide": (
        lambda: R.conv1d(ones(2, 4, 5), ones(3, 2, 2), groups=3),
        ("conv1d: groups must be positive and divide the channels", "3 arrived"),
    ),
    "outputs that groups do not divide": (
        lambda: R.conv1d(ones(2, 4, 5), ones(3, 2, 2), groups=2),
        ("conv1d: weight must have the shape", "2 groups"),
    ),
    "no groups": (lambda: R.conv1d(ones(2, 4, 5), ones(3, 4, 2), groups=0), ("0 arrived",)),
    "a bias for other channels": (
        lambda: R.conv1d(ones(2, 4, 5), ones(3, 4, 2), ones(4)),
        ("conv1d: bias must have shape (3,)", "(4,)"),
    ),
    "no stride": (
        lambda: R.conv1d(ones(2, 4, 5), ones(3, 4, 2), stride=0),
        ("conv1d: stride must be a whole number of at least 1", "0 arrived"),
    ),
    "a stride for another rank": (
        lambda: R.conv1d(ones(2, 4, 5), ones(3, 4, 2), stride=(1, 1)),
        ("conv1d: stride must be a whole number of at least 1, or a tuple of 1", "(1, 1)"),
    ),
    "a padding that is negative": (
        lambda: R.conv1d(ones(2, 4, 5), ones(3, 4, 2), padding=-1),
        ("conv1d: padding must be a whole number of at least 0", "-1 arrived"),
    ),
    "half a dilation": (
        lambda: R.conv1d(ones(2, 4, 5), ones(3, 4, 2), dilation=1.5),
        ("conv1d: dilation must be a whole number", "1.5 arrived"),
    ),
    "a padding that there is not": (
        lambda: R.conv1d(ones(2, 4, 5), ones(3, 4, 2), padding="full"),
        ('conv1d: padding must be numbers, "valid" or "same"', "'full' arrived"),
    ),
    "the same size of strides": (
        lambda: R.conv1d(ones(2, 4, 5), ones(3, 4, 2), stride=2, padding="same"),
        ('conv1d: padding="same" must go with a stride of 1', "(2,)"),
    ),
    "a weight that is too large": (
        lambda: R.conv1d(ones(2, 4, 5), ones(3, 4, 4), dilation=2),
        ("conv1d: the weight must not reach further than the padded input", "(2, 4, 5)"),
    ),
    "too much output padding": (
        lambda: R.conv_transpose1d(ones(2, 4, 5), ones(4, 3, 2), output_padding=1),
        ("conv_transpose1d: output_padding must be smaller than stride or dilation", "(1,)"),
    ),
    "nothing left": (
        lambda: R.conv_transpose1d(ones(2, 4, 5), ones(4, 3, 2), padding=3),
        ("conv_transpose1d: padding must leave something of the output", "(0,)"),
    ),
    "padding in words": (
        lambda: R.conv_transpose1d(ones(2, 4, 5), ones(4, 3, 2), padding="same"),
        ("conv_transpose1d: padding must be a whole number", "'same' arrived"),
    ),
    "dtypes that differ": (
        lambda: R.conv1d(ones(2, 4, 5), ones(3, 4, 2).double()),
        ("conv1d: input and weight must have the same dtype",),
    ),
    "integers": (
        lambda: R.conv1d(ones(2, 4, 5).long(), ones(3, 4, 2)),
        ("conv1d: input must be a real floating-point tensor", "torch.int64"),
    ),
}


@each_of(REFUSED)
def test_bad_input_is_refused_with_a_telling_message(
    call: Callable[[], Tensor], words: tuple[str, ...]
) -> None:
    assert_refused(call, words)
