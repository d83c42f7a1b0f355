"""A handwritten rule with nothing around its two formulas."""

from __future__ import annotations

from torch import Tensor
from torch.autograd import Function

SAVED = object()


class SavesInputs(Function):
    """Saves all tensor inputs for backward and keeps the other arguments in ctx.given."""

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*(value for value in inputs if isinstance(value, Tensor)))
        ctx.given = tuple(SAVED if isinstance(value, Tensor) else value for value in inputs)


class Rule(SavesInputs):
    """A Function written as `forward(*inputs)` and `gradients(*grad_outputs, *inputs)`.

    `gradients` returns what backward must: one gradient, or None, for every input.
    """

    def __init_subclass__(cls):
        if "gradients" in vars(cls):
            cls.backward = staticmethod(backward_of(cls.gradients))


def backward_of(gradients):
    def backward(ctx, *grad_outputs):
        saved = iter(ctx.saved_tensors)
        inputs = (next(saved) if value is SAVED else value for value in ctx.given)
        return gradients(*grad_outputs, *inputs)

    return backward


def gradients_of(forward):
    """A decorator that makes the Rule of a forward; the decorated gradients name it."""

    def rule(gradients):
        body = {
            "__module__": gradients.__module__,
            "__doc__": gradients.__doc__,
            "forward": staticmethod(forward),
            "gradients": staticmethod(gradients),
        }
        return type(Rule)(gradients.__name__, (Rule,), body)

    return rule
