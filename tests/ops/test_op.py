"""The base class: which rules a call uses, and what it costs to change one."""

import gc
import inspect
import weakref
from itertools import pairwise

import pytest
import torch

from tests.ops.catalogue_cases import TORCH_SCRIPTS_ITS_JVP
from torchref.ops import Op, Sigmoid, Standardisation


class HalvedSigmoid(Sigmoid):
    @staticmethod
    def backward(ctx, grad_y):
        return Sigmoid.backward(ctx, grad_y) / 2


class HalvedTwice(HalvedSigmoid):
    @staticmethod
    def tangent(ctx, dx):
        return Sigmoid.tangent(ctx, dx) / 4


def slope(op: type[Op]) -> float:
    x = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
    return torch.autograd.grad(op.call(x), x)[0].item()


@pytest.mark.filterwarnings(TORCH_SCRIPTS_ITS_JVP)
def test_a_subclass_is_called_with_its_own_rules() -> None:
    x = torch.tensor(0.0, dtype=torch.float64)
    forward_slope = torch.func.jvp(HalvedTwice.call, (x,), (torch.ones_like(x),))[1]
    assert [slope(op) for op in (Sigmoid, HalvedSigmoid, HalvedTwice)] == [1 / 4, 1 / 8, 1 / 8]
    assert forward_slope == 1 / 16


@pytest.mark.filterwarnings(TORCH_SCRIPTS_ITS_JVP)
def test_forward_mode_over_vmap_takes_options_that_are_tuples() -> None:
    def each(x: torch.Tensor) -> torch.Tensor:
        return Standardisation.call(x, None, None, (-1,), 0.1)

    x, dx = torch.randn(2, 5, 3, 4, dtype=torch.float64)
    together = torch.func.jvp(torch.vmap(each), (x,), (dx,))
    torch.testing.assert_close(together, torch.func.jvp(each, (x,), (dx,)))


@pytest.mark.parametrize("op", [Sigmoid, HalvedSigmoid, HalvedTwice])
def test_the_signature_of_the_forward_is_found_once(op: type[Op]) -> None:
    assert inspect.signature(op.forward) is inspect.signature(op.forward)
    assert list(inspect.signature(op.forward).parameters) == ["x"]


def test_the_graph_names_the_op() -> None:
    y = Sigmoid.call(torch.zeros(2, requires_grad=True))
    assert y.grad_fn.name() == "SigmoidBackward"


def test_an_op_without_a_tangent_refuses_forward_mode_by_saying_so() -> None:
    class Double(Op):
        @staticmethod
        def forward(x):
            return 2 * x

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def backward(_, grad_y):
            return 2 * grad_y

    x = torch.ones(3, requires_grad=True)
    assert torch.equal(torch.autograd.grad(Double.call(x).sum(), x)[0], torch.full((3,), 2.0))
    with pytest.raises(RuntimeError, match="jvp"):
        torch.func.jvp(Double.call, (x.detach(),), (torch.ones(3),))


def test_what_an_op_saves_is_freed_with_its_graph() -> None:
    """No cycle between output and node: counting references is enough."""
    gc.disable()
    try:
        y = Sigmoid.call(torch.zeros(2, requires_grad=True))
        seen = weakref.ref(y)
        del y
        assert seen() is None
    finally:
        gc.enable()


def test_third_order_of_the_curved_ops() -> None:
    """σ‴ at 0 is −1/8, read from three backwards in a row."""
    x = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
    orders = [Sigmoid.call(x)]
    for _ in range(3):
        orders.append(torch.autograd.grad(orders[-1], x, create_graph=True)[0])
    assert [order.item() for order in orders] == [1 / 2, 1 / 4, 0, -1 / 8]
    assert all(higher.requires_grad for _, higher in pairwise(orders))
