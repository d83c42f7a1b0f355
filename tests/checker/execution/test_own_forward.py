"""A Function's own forward, on the tape."""

import pytest
import torch
from torch.autograd import Function

from tests.checker.given import normal, run_of
from tests.corpora.wrong_ops.rule import gradients_of
from torchref.checker.execution.own_forward import own_forward, plain_call
from torchref.checker.execution.tape import Tape


class Old(Function):
    @staticmethod
    def forward(ctx, x, power):
        ctx.save_for_backward(x)
        ctx.mark_non_differentiable(x)
        ctx.set_materialize_grads(False)
        ctx.power, ctx.asked = power, ctx.needs_input_grad
        return x**power

    @staticmethod
    def backward(ctx, grad_y):
        return 7 * grad_y, None


@gradients_of(lambda x, power: x**power)
def New(grad_y, x, power):
    return 7 * grad_y, None


def gradient_of_own_forward(candidate) -> torch.Tensor:
    x = normal(4, 3)
    run = run_of(candidate, None, x)
    own = own_forward(run)
    assert own is not None
    (grad_x,) = Tape(own, run.case).gradients({0: torch.ones_like(x)})
    return grad_x


class Cubed(torch.nn.Module):
    def forward(self, x):
        return Old.apply(x, 3)


@pytest.mark.parametrize("function", [Old, New])
def test_its_gradient_is_that_of_the_forward(function: type[Function]) -> None:
    torch.testing.assert_close(plain_call(function)(normal(4, 3), 3), normal(4, 3) ** 3)
    for candidate in (lambda x: function.apply(x, 3), Cubed()):
        torch.testing.assert_close(gradient_of_own_forward(candidate), 3 * normal(4, 3) ** 2)
    assert "apply" not in vars(function)


def test_an_apply_of_its_own_is_left_alone() -> None:
    class Wrapped(Old):
        @classmethod
        def apply(cls, x):
            return super().apply(x, 2)

    before = vars(Wrapped)["apply"]
    assert gradient_of_own_forward(lambda x: Wrapped.apply(x)).shape == (4, 3)
    assert vars(Wrapped)["apply"] is before


def test_what_holds_no_function_has_none() -> None:
    assert own_forward(run_of(torch.sin, None, normal(3))) is None
    assert own_forward(run_of(torch.nn.Tanh(), None, normal(4, 3))) is None
