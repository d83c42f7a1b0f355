"""One call remembers another."""

from types import SimpleNamespace

import torch
from torch.nn import functional as F

from tests.random_inputs import normals

from .planted import at, wrong_backward, wrong_function
from .right_rules import Gelu, Multiply, Sin, Tanh

static_buffers: dict[torch.Size, torch.Tensor] = {}
totals: dict[torch.Size, torch.Tensor] = {}
slopes: dict[torch.Size, torch.Tensor] = {}
last_forward = SimpleNamespace(x=None)


@wrong_backward(Sin, "aliased-buffer", source="pytorch/pytorch#181723", behavioural=True)
@at(normals((4, 5)))
def sin_returns_one_static_buffer(grad_y, x):
    """Every backward of one shape returns the same buffer."""
    grad_x = Sin.gradients(grad_y, x).detach()
    buffer = static_buffers.setdefault(grad_x.shape, torch.empty_like(grad_x))
    if buffer.dtype != grad_x.dtype:
        return grad_x
    return buffer.copy_(grad_x)


@wrong_function(Sin, "accumulates", source="karpathy/micrograd#25", behavioural=True)
@at(normals((5, 3)))
class SinAddsRepeatedBackwardsInItsContext(Sin):
    """A second backward through the same forward adds to the first."""

    @staticmethod
    def backward(ctx, grad_y):
        ctx.total = getattr(ctx, "total", 0) + Sin.backward(ctx, grad_y)
        return ctx.total


@wrong_backward(
    Multiply, "accumulates", "stale-state", source="karpathy/micrograd#102", behavioural=True
)
@at(normals((5, 3), (3,)))
def scale_never_zeroes_the_gradient_of_its_weight(grad_y, left, right):
    """The gradient of right is kept from call to call and never set to zero."""
    grad_left, grad_right = Multiply.gradients(grad_y, left, right)
    total = totals.get(grad_right.shape, 0) + grad_right.detach()
    totals[grad_right.shape] = total
    return grad_left, total.to(grad_right.dtype, copy=True)


@wrong_function(Gelu, "stale-state", source="a cache on the class", behavioural=True)
@at(normals((4, 6)))
class GeluReadsXOfTheLastForward(Gelu):
    """Forward leaves x where the next forward replaces it."""

    @staticmethod
    def forward(x):
        last_forward.x = x.detach().clone()
        return F.gelu(x)

    @staticmethod
    def gradients(grad_y, x):
        return Gelu.gradients(grad_y, last_forward.x)


@wrong_function(
    Tanh,
    "stale-state",
    "ignores-grad-output",
    "not-linear-in-grad-output",
    "aliased-buffer",
    source="a result cached across backwards",
    behavioural=True,
)
@at(normals((3, 4)))
class TanhHandsOutItsFirstGradientAgain(Tanh):
    """Whatever grad_output comes next."""

    @staticmethod
    def backward(ctx, grad_y):
        if not hasattr(ctx, "grad_x"):
            ctx.grad_x = Tanh.backward(ctx, grad_y)
        return ctx.grad_x


@wrong_backward(Tanh, "stale-state", source="a cache with too small a key", behavioural=True)
@at(normals((6, 3)))
def tanh_caches_its_slope_by_shape(grad_y, x):
    """Right for the first x of every shape."""
    slope = slopes.setdefault(x.shape, (1 - x.tanh() ** 2).detach())
    return grad_y * slope.to(grad_y.dtype)
