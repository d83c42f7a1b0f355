"""What every op shares that computes entry by entry: one rule for both directions."""

from collections.abc import Callable
from typing import Any, ClassVar

from torchref.ops.op import RoundedOnce, give_rules, save


class Pointwise(RoundedOnce):
    """y = f(x) for each entry by itself: an op whose Jacobian is diagonal, so that J dx = Jᵀ dx.

    A subclass gives `forward`, with numbers for options after x, and `differential`, which is
    f′(x) dx: of a tangent in forward mode, and of ∂L/∂y on the way back. It is written in what is
    saved: x, or y where `setup_context` is `save_y`. Where the slope is 0 by a comparison,
    `torch.where` chooses the 0: as a factor it would make NaN of an infinite gradient.
    """

    differential: ClassVar[Callable[..., Any]]

    def __init_subclass__(cls, **kwargs):
        if "differential" in cls.__dict__:
            give_rules(cls, rules(cls.differential))
        super().__init_subclass__(**kwargs)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.options = inputs[1:]
        save(ctx, inputs[0])


def rules(differential):
    """The backward and the tangent of an op with this differential."""

    def backward(ctx, grad_y):
        (saved,) = ctx.saved_tensors
        grad_x = differential(grad_y, saved, *ctx.options)
        return (grad_x, *(None for _ in ctx.options)) if ctx.options else grad_x

    def tangent(ctx, dx, *_):
        (saved,) = ctx.saved_tensors
        return differential(dx, saved, *ctx.options)

    return {"backward": backward, "tangent": tangent}


def save_y(ctx, inputs, output):
    """The `setup_context` of an op whose differential is written in y."""
    ctx.options = inputs[1:]
    save(ctx, output)
