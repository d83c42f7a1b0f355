"""A Function's own forward, on the tape."""

import torch
from torch.autograd import Function

from tests.checker.scenes import normal
from torchref.checker.case import build_case
from torchref.checker.reenactment.own_forward import own_forward
from torchref.checker.subject import as_subject
from torchref.checker.tape import Tape


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
        raise AssertionError("nobody asks it")


class New(Function):
    @staticmethod
    def forward(x, power):
        return x**power

    @staticmethod
    def setup_context(ctx, inputs, output):
        raise AssertionError("nobody saves")


def test_its_gradient_is_that_of_the_forward() -> None:
    x = normal(4, 3)
    for function in (Old, New):
        subject = as_subject(function)
        own = own_forward(subject)
        assert own is not None
        tape = Tape(own, build_case(subject, (x, 3), None, None))
        (grad_x,) = tape.gradients({0: torch.ones_like(x)})
        torch.testing.assert_close(grad_x, 3 * x**2)


def test_what_is_no_function_has_none() -> None:
    assert own_forward(as_subject(torch.sin)) is None
    assert own_forward(as_subject(torch.nn.Linear(2, 3))) is None
