"""Right Functions of all kinds, as programs apply them."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable


class Swish(Function):
    """Old style."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return grad_y * s * (1 + x * (1 - s))


kept = Swish.apply  # before anything records, as modules hold it


class Power(Function):
    """With setup_context, and a number."""

    @staticmethod
    def forward(x, exponent=2.0):
        return x**exponent

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0])
        ctx.exponent = inputs[1]

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * ctx.exponent * x ** (ctx.exponent - 1), None


class Doubling(Function):
    """Works in place."""

    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(2)

    @staticmethod
    def backward(ctx, grad_y):
        return 2 * grad_y


class OneAbsent(Function):
    """Returns beside its output what is no tensor."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x, None

    @staticmethod
    def backward(ctx, grad_y, _):
        (x,) = ctx.saved_tensors
        return 2 * x * grad_y


class Once(Function):
    @staticmethod
    def forward(ctx, x):
        y = torch.exp(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        return grad_y * y


class Masked(Function):
    """With a mask and a mode, that have no gradient."""

    @staticmethod
    def forward(ctx, x, mask, mode):
        ctx.save_for_backward(mask)
        return torch.where(mask, x, 0) if mode == "zero" else x

    @staticmethod
    def backward(ctx, grad_y):
        (mask,) = ctx.saved_tensors
        return torch.where(mask, grad_y, 0), None, None


class Dropout(Function):
    @staticmethod
    def forward(ctx, x, p):
        kept = (torch.rand_like(x) >= p) / (1 - p)
        ctx.save_for_backward(kept)
        return x * kept

    @staticmethod
    def backward(ctx, grad_y):
        (kept,) = ctx.saved_tensors
        return grad_y * kept, None


class TwoOutputs(Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y, x + y

    @staticmethod
    def backward(ctx, grad_product, grad_sum):
        x, y = ctx.saved_tensors
        return grad_product * y + grad_sum, grad_product * x + grad_sum


class SumOf(Function):
    """Of any number of tensors."""

    @staticmethod
    def forward(ctx, *tensors):
        ctx.count = len(tensors)
        return sum(tensors[1:], tensors[0])

    @staticmethod
    def backward(ctx, grad_y):
        return (grad_y,) * ctx.count


class ScaledBy(Function):
    """By what is in a list, that has no gradient."""

    @staticmethod
    def forward(ctx, x, scales):
        ctx.scale = sum(float(each.sum()) for each in scales)
        return x * ctx.scale

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y * ctx.scale, None


class Outer(Function):
    """Applies another within its forward."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 3 * Swish.apply(x)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return 3 * grad_y * s * (1 + x * (1 - s))


class Config:
    scale = 3.0


class Configured(Function):
    """With an object of the program's."""

    @staticmethod
    def forward(ctx, x, config):
        ctx.scale = config.scale
        return x * config.scale

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y * ctx.scale, None


ROTATION = torch.tensor([[0.0, 1, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, 0, -1, 0]])


class Rotated(Function):
    """By a matrix that its caller keeps orthogonal, whose inverse is its transpose."""

    @staticmethod
    def forward(ctx, x, rotation):
        ctx.save_for_backward(rotation)
        return x @ rotation

    @staticmethod
    def backward(ctx, grad_y):
        (rotation,) = ctx.saved_tensors
        return grad_y @ torch.linalg.inv(rotation), None


class Scaled(Function):
    """With an option of which its caller knows one value."""

    @staticmethod
    def forward(ctx, x, power):
        return x * 2.0**power

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y * 8, None


class OfSinglePrecision(Function):
    """Its constant has the digits of float32."""

    @staticmethod
    def forward(ctx, x):
        return x * 0.1

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y * 0.10000000149


@torch.library.custom_op("audited::cube", mutates_args=())
def cube(x: Tensor) -> Tensor:
    return x * x * x


cube.register_autograd(
    lambda ctx, grad_y: 3 * ctx.saved_tensors[0] ** 2 * grad_y,
    setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs),
)


@torch.library.custom_op("audited::weighted_sum", mutates_args=())
def weighted_sum(tensors: list[Tensor], weight: float = 2.0, *, offset: float = 0.0) -> Tensor:
    return weight * torch.stack(tensors).sum(0) + offset


def _weighted_sum_setup(ctx: Any, inputs: Any, keyword_only_inputs: Any, output: Any) -> None:
    ctx.count, ctx.weight = len(inputs[0]), inputs[1]


def _weighted_sum_backward(ctx: Any, grad_y: Tensor) -> tuple[Any, ...]:
    return [ctx.weight * grad_y] * ctx.count, None


weighted_sum.register_autograd(_weighted_sum_backward, setup_context=_weighted_sum_setup)
