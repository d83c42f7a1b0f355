"""What every loss shares that is a function of x − t: one rule for both arguments and modes."""

from collections.abc import Callable
from typing import Any, ClassVar

from torchref.ops.op import RoundedOnce, give_rules, save


class OfDifference(RoundedOnce):
    """y = f(x − t), entry by entry: ∂y/∂x = f′(x − t) = −∂y/∂t.

    A subclass gives `forward`, with numbers for options after x and target, and `differential`,
    which is f′(d) dd at d = x − t: of a tangent, and of ∂L/∂y on the way back.
    """

    differential: ClassVar[Callable[..., Any]]

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, target, *ctx.options = inputs
        save(ctx, x, target)

    def __init_subclass__(cls, **kwargs):
        if "differential" in cls.__dict__:
            give_rules(cls, rules(cls.differential))
        super().__init_subclass__(**kwargs)


def rules(differential):
    """The backward and the tangent of a loss with this differential."""

    def backward(ctx, grad_y):
        x, target = ctx.saved_tensors
        need_x, need_target, *options = ctx.needs_input_grad
        grad_x = differential(grad_y, x - target, *ctx.options)
        grad_target = -grad_x if need_target else None
        return grad_x if need_x else None, grad_target, *(None for _ in options)

    def tangent(ctx, dx, dtarget, *_):
        x, target = ctx.saved_tensors
        return differential(dx - dtarget, x - target, *ctx.options)

    return {"backward": backward, "tangent": tangent}
