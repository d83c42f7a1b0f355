"""Forward mode, second order and their mixtures, by torch's checkers and against the twin."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor
from torch.func import hessian, jacrev

from tests.ops.catalogue_cases import (
    SAMPLES,
    TORCH_SCRIPTS_ITS_JVP,
    Case,
    normal_like,
    of_tensors,
    on_each,
    tensors,
)
from tests.ops.closeness import assert_close_in_float64
from torchref.ops import LogLoss

pytestmark = pytest.mark.filterwarnings(TORCH_SCRIPTS_ITS_JVP)

FIRST_OF_EACH_OP = [
    pytest.param(case, id=str(case), marks=pytest.mark.slow if case.number else ())
    for case in SAMPLES
]


@pytest.mark.parametrize("case", SAMPLES, ids=str)
def test_gradcheck(case: Case) -> None:
    inputs = on_each(lambda x: x.requires_grad_(), case.inputs())
    assert torch.autograd.gradcheck(
        case.entry.op.call,
        inputs,
        check_forward_ad=True,
        check_batched_grad=True,
        check_batched_forward_grad=True,
    )


@pytest.mark.parametrize("case", FIRST_OF_EACH_OP)
def test_gradgradcheck(case: Case) -> None:
    inputs = on_each(lambda x: x.requires_grad_(), case.inputs())
    assert torch.autograd.gradgradcheck(
        case.entry.op.call, inputs, check_fwd_over_rev=True, check_batched_grad=True
    )


def log_loss(x: Tensor, target: Tensor) -> Tensor:
    """torch's own second derivative adds 1e-12 to x (1 - x), and is no more exact than that."""
    return -target * x.log() - (1 - target) * (1 - x).log()


def jacrev_of_jacrev(function: Callable[..., Tensor], argnums: tuple[int, ...]):
    return jacrev(jacrev(function, argnums), argnums)


@pytest.mark.parametrize("second_order", [hessian, jacrev_of_jacrev])
@pytest.mark.parametrize("case", SAMPLES, ids=str)
def test_every_block_of_the_hessian_equals_the_twins(case: Case, second_order: Callable) -> None:
    inputs = case.inputs()
    cotangent = normal_like(case.entry.op.call(*inputs), seed=1)

    def loss(function: Callable[..., Tensor], *given: Tensor) -> Tensor:
        return (of_tensors(function, inputs)(*given) * cotangent).sum()

    arguments = tuple(range(len(tensors(inputs))))
    twin = log_loss if case.entry.op is LogLoss else case.entry.twin
    mine = second_order(partial(loss, case.entry.op.call), arguments)(*tensors(inputs))
    twins = jacrev_of_jacrev(partial(loss, twin), arguments)(*tensors(inputs))
    for my_row, twins_row in zip(mine, twins, strict=True):
        for block, twins_block in zip(my_row, twins_row, strict=True):
            assert_close_in_float64(block, twins_block)
