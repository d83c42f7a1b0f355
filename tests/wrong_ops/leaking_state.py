"""One call remembers another."""

from typing import ClassVar

import torch
from torch.autograd import Function
from torch.nn import functional as F

from .planted import PlantedBug, SavesInputs, normals


class Sin(SavesInputs):
    """y = sin x."""

    @staticmethod
    def forward(x):
        return x.sin()

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * x.cos()


class SinIntoStaticBuffer(Sin):
    """Every backward of one shape returns the same buffer."""

    buffers: ClassVar[dict[torch.Size, torch.Tensor]] = {}

    @staticmethod
    def backward(ctx, grad_y):
        grad_x = Sin.backward(ctx, grad_y).detach()
        buffer = SinIntoStaticBuffer.buffers.setdefault(grad_x.shape, torch.empty_like(grad_x))
        if buffer.dtype != grad_x.dtype:
            return grad_x
        return buffer.copy_(grad_x)


class SinAccumulatingInContext(Sin):
    """A second backward through the same forward adds to the first."""

    @staticmethod
    def backward(ctx, grad_y):
        ctx.total = getattr(ctx, "total", 0) + Sin.backward(ctx, grad_y)
        return ctx.total


class Scale(SavesInputs):
    """y = x * weight."""

    @staticmethod
    def forward(x, weight):
        return x * weight

    @staticmethod
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        return (grad_y * weight).sum_to_size(x.shape), (grad_y * x).sum_to_size(weight.shape)


class ScaleNeverZeroingItsGradient(Scale):
    """The weight's gradient is kept on the class and never set to zero."""

    totals: ClassVar[dict[torch.Size, torch.Tensor]] = {}

    @staticmethod
    def backward(ctx, grad_y):
        grad_x, grad_weight = Scale.backward(ctx, grad_y)
        totals = ScaleNeverZeroingItsGradient.totals
        totals[grad_weight.shape] = totals.get(grad_weight.shape, 0) + grad_weight.detach()
        return grad_x, totals[grad_weight.shape].to(grad_weight.dtype, copy=True)


class Gelu(SavesInputs):
    """y = x Φ(x)."""

    @staticmethod
    def forward(x):
        return F.gelu(x)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        density = torch.exp(-x * x / 2) / (2 * torch.pi) ** 0.5
        return grad_y * (torch.special.ndtr(x) + x * density)


class GeluOfLastForward(Function):
    """Forward leaves x on the class, where the next forward replaces it."""

    last_x = None

    @staticmethod
    def forward(ctx, x):
        GeluOfLastForward.last_x = x.detach().clone()
        return F.gelu(x)

    @staticmethod
    def backward(ctx, grad_y):
        x = GeluOfLastForward.last_x
        density = torch.exp(-x * x / 2) / (2 * torch.pi) ** 0.5
        return grad_y * (torch.special.ndtr(x) + x * density)


class Tanh(SavesInputs):
    """y = tanh x."""

    @staticmethod
    def forward(x):
        return x.tanh()

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * (1 - x.tanh() ** 2)


class TanhOfFirstCotangent(Tanh):
    """Keeps the first result and hands it out again, whatever grad_output comes next."""

    @staticmethod
    def backward(ctx, grad_y):
        if not hasattr(ctx, "grad_x"):
            ctx.grad_x = Tanh.backward(ctx, grad_y)
        return ctx.grad_x


class TanhCachedByShape(Tanh):
    """The slope is cached by the shape of x: right for the first x of every shape."""

    slopes: ClassVar[dict[torch.Size, torch.Tensor]] = {}

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        slopes = TanhCachedByShape.slopes
        slope = slopes.setdefault(x.shape, (1 - x.tanh() ** 2).detach())
        return grad_y * slope.to(grad_y.dtype)


def leaking_bug(name, wrong, right, reference, inputs, causes, source):
    return PlantedBug(name, wrong, right, reference, inputs, inputs, causes, source, True)


BUGS = (
    leaking_bug(
        "sin returns one static buffer",
        SinIntoStaticBuffer,
        Sin,
        torch.sin,
        normals((4, 5)),
        ("aliased-buffer",),
        "pytorch/pytorch#181723",
    ),
    leaking_bug(
        "sin adds repeated backwards in its context",
        SinAccumulatingInContext,
        Sin,
        torch.sin,
        normals((5, 3)),
        ("accumulates",),
        "karpathy/micrograd#25",
    ),
    leaking_bug(
        "scale never zeroes the gradient of its weight",
        ScaleNeverZeroingItsGradient,
        Scale,
        torch.mul,
        normals((5, 3), (3,)),
        ("accumulates", "stale-state"),
        "karpathy/micrograd#102",
    ),
    leaking_bug(
        "gelu reads x of the last forward",
        GeluOfLastForward,
        Gelu,
        F.gelu,
        normals((4, 6)),
        ("stale-state",),
        "a cache on the class",
    ),
    leaking_bug(
        "tanh hands out its first gradient again",
        TanhOfFirstCotangent,
        Tanh,
        torch.tanh,
        normals((3, 4)),
        ("stale-state", "ignores-grad-output", "not-linear-in-grad-output", "aliased-buffer"),
        "a result cached across backwards",
    ),
    leaking_bug(
        "tanh caches its slope by shape",
        TanhCachedByShape,
        Tanh,
        torch.tanh,
        normals((6, 3)),
        ("stale-state",),
        "a cache with too small a key",
    ),
)
