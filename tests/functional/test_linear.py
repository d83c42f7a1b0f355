"""linear and homogeneous_linear against torch: shapes, gradients, and the bias of one value."""

import pytest
import torch
import torch.nn.functional as F

import torchref.functional as R
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
