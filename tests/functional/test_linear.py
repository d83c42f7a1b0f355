"""linear and homogeneous_linear against torch: shapes, gradients, and the bias of one value."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import torchref.functional as R
from tests.functional.refusals import assert_refused, each_of
from tests.functional.side_by_side import assert_same, normal, value_and_gradients

DEVICES = ("cpu", pytest.param("cuda", marks=pytest.mark.cuda))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("bias", [(3,), (1,), (), (1, 1), None], ids=str)
@pytest.mark.parametrize("leading", [(1,), (5,), (2, 5), (2, 0, 5), (2, 1, 5, 6)], ids=str)
def test_linear_equals_torchs(
    leading: tuple[int, ...], bias: tuple[int, ...] | None, device: str
) -> None:
    arguments = [normal(0, *leading, 4), normal(1, 3, 4)]
    arguments += [] if bias is None else [normal(2, *bias)]
    arguments = [x.to(device) for x in arguments]
    assert_same(
        value_and_gradients(R.linear, *arguments), value_and_gradients(F.linear, *arguments)
    )


def test_a_bias_of_one_value_is_whole_before_the_op_sees_it() -> None:
    """Otherwise the op's gradient had three entries for one, and autograd would repair it."""
    bias = normal(2, 1).requires_grad_()
    y = R.linear(normal(0, 5, 4), normal(1, 3, 4), bias)
    assert y.grad_fn.next_functions[2][0].name() == "ExpandBackward0"


def test_a_single_example_has_no_leading_dimension() -> None:
    arguments = normal(0, 4), normal(1, 3, 4), normal(2, 3)
    assert_same(
        value_and_gradients(R.linear, *arguments), value_and_gradients(F.linear, *arguments)
    )


@pytest.mark.parametrize("leading", [(), (5,), (2, 5), (0,)], ids=str)
def test_a_weight_of_one_dimension_gives_one_output_without_a_dimension(
    leading: tuple[int, ...],
) -> None:
    arguments = normal(0, *leading, 4), normal(1, 4)
    assert_same(
        value_and_gradients(R.linear, *arguments), value_and_gradients(F.linear, *arguments)
    )


@pytest.mark.parametrize("leading", [(), (5,), (2, 5)], ids=str)
def test_and_it_takes_a_bias_of_one_value_which_torch_does_not(leading: tuple[int, ...]) -> None:
    arguments = normal(0, *leading, 4), normal(1, 4), normal(2, 1)
    assert_same(
        value_and_gradients(R.linear, *arguments),
        value_and_gradients(lambda x, weight, bias: x @ weight + bias.squeeze(), *arguments),
    )


@pytest.mark.parametrize("leading", [(), (5,), (2, 5), (0,)], ids=str)
def test_homogeneous_linear_is_linear_with_the_last_column_as_bias(
    leading: tuple[int, ...],
) -> None:
    arguments = normal(0, *leading, 4), normal(1, 3, 5)
    assert_same(
        value_and_gradients(R.homogeneous_linear, *arguments),
        value_and_gradients(lambda x, w: F.linear(x, w[:, :-1], w[:, -1]), *arguments),
    )


def test_sigmoid_equals_torchs() -> None:
    for shape in ((), (5,), (2, 5), (0, 3)):
        x = normal(0, *shape)
        assert_same(value_and_gradients(R.sigmoid, x), value_and_gradients(F.sigmoid, x))


def test_arguments_go_by_name_too() -> None:
    x, weight, bias = normal(0, 5, 4), normal(1, 3, 4), normal(2, 3)
    by_name = R.linear(bias=bias, weight=weight, input=x)
    assert torch.equal(by_name, R.linear(x, weight, bias))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((4,), (4,)),
        ((5, 4), (4,)),
        ((4,), (4, 3)),
        ((2, 5, 4), (4,)),
        ((4,), (2, 4, 3)),
        ((5, 4), (2, 4, 3)),
        ((2, 1, 5, 4), (6, 4, 3)),
        ((0, 5, 4), (4, 3)),
        ((5, 0), (0, 3)),
    ],
    ids=str,
)
def test_matmul_equals_torchs(left: tuple[int, ...], right: tuple[int, ...], device: str) -> None:
    arguments = normal(0, *left).to(device), normal(1, *right).to(device)
    assert_same(
        value_and_gradients(R.matmul, *arguments), value_and_gradients(torch.matmul, *arguments)
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize(("left", "right"), [((6, 50, 40), (40, 30)), ((50, 40), (6, 40, 30))])
def test_matmul_in_16_bits_errs_at_most_twice_as_much_as_torchs(
    left: tuple[int, ...], right: tuple[int, ...], dtype: torch.dtype
) -> None:
    low = normal(0, *left).to(dtype), normal(1, *right).to(dtype)
    truth = value_and_gradients(torch.matmul, *(x.double() for x in low))
    mine, its = (value_and_gradients(function, *low) for function in (R.matmul, torch.matmul))
    for errors in zip(mine, its, truth, strict=True):
        error, torchs_error = ((x.double() - errors[2]).abs().max() for x in errors[:2])
        assert error <= 2 * torchs_error


def test_matmul_under_autocast_has_its_dtype() -> None:
    arguments = normal(0, 5, 4).float(), normal(1, 4, 3).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mine, its = (value_and_gradients(f, *arguments) for f in (R.matmul, torch.matmul))
    assert [x.dtype for x in mine] == [x.dtype for x in its]
    torch.testing.assert_close(mine, its, rtol=0, atol=0)


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("leading", [(), (5,), (2, 5), (0,), (2, 0)], ids=str)
def test_bilinear_equals_torchs(leading: tuple[int, ...], with_bias: bool) -> None:
    arguments = [normal(0, *leading, 4), normal(1, *leading, 3), normal(2, 6, 4, 3)]
    arguments += [normal(3, 6)] if with_bias else []
    assert_same(
        value_and_gradients(R.bilinear, *arguments), value_and_gradients(F.bilinear, *arguments)
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_bilinear_in_16_bits_errs_at_most_twice_as_much_as_torchs(dtype: torch.dtype) -> None:
    shapes = (5, 40), (5, 30), (6, 40, 30), (6,)
    low = [normal(n, *shape).to(dtype) for n, shape in enumerate(shapes)]
    truth = value_and_gradients(F.bilinear, *(x.double() for x in low))
    mine, its = (value_and_gradients(function, *low) for function in (R.bilinear, F.bilinear))
    for one, torchs, true in zip(mine, its, truth, strict=True):
        error, torchs_error = ((x.double() - true).abs().max() for x in (one, torchs))
        assert error <= max(2 * torchs_error, torch.finfo(dtype).eps / 2 * true.abs().max())


REFUSED = {
    "products of shapes that disagree": (
        lambda: R.matmul(torch.ones(3, 4), torch.ones(3, 4)),
        ("matmul: input (..., n, k)", "(3, 4) and other (3, 4)", "other.mT"),
    ),
    "a number": (lambda: R.matmul(torch.ones(()), torch.ones(3)), ("must agree in k", "()")),
    "batches that disagree": (
        lambda: R.matmul(torch.ones(2, 3, 4), torch.ones(3, 4, 5)),
        ("input and other before the last two must broadcast", "(2,) and (3,)"),
    ),
    "dtypes that disagree": (
        lambda: R.matmul(torch.ones(3, 4), torch.ones(4).double()),
        ("input and other must have the same dtype",),
    ),
    "leading dimensions that disagree": (
        lambda: R.bilinear(torch.ones(5, 4), torch.ones(1, 3), torch.ones(6, 4, 3)),
        ("bilinear: input1 (..., i)", "(5, 4) and (1, 3)", "expand"),
    ),
    "a weight that does not fit": (
        lambda: R.bilinear(torch.ones(5, 4), torch.ones(5, 3), torch.ones(6, 3, 4)),
        ("weight (o, i, j)", "(6, 3, 4)"),
    ),
    "a bias that does not fit": (
        lambda: R.bilinear(torch.ones(4), torch.ones(3), torch.ones(6, 4, 3), torch.ones(1)),
        ("bilinear: bias must have shape (6,)", "(1,)"),
    ),
}


@each_of(REFUSED)
def test_bad_products_are_refused(call: Callable[[], Tensor], words: tuple[str, ...]) -> None:
    assert_refused(call, words)
