"""Wrong forwards, and forward-mode rules that disagree with the backward."""

import torch
from torch.nn import functional as F

from .planted import PlantedBug, SavesInputs, normals


class Tanh(SavesInputs):
    """y = tanh x, with a tangent rule."""

    @staticmethod
    def forward(x):
        return x.tanh()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * (1 - x.tanh() ** 2)

    @staticmethod
    def jvp(ctx, dx):
        (x,) = ctx.saved_tensors
        return dx * (1 - x.tanh() ** 2)


class TanhWithoutSlopeInTangent(Tanh):
    """dy = dx."""

    @staticmethod
    def jvp(ctx, dx):
        return dx.clone()


class Multiply(SavesInputs):
    """y = left * right, with a tangent rule."""

    @staticmethod
    def forward(left, right):
        return left * right

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx, grad_y):
        left, right = ctx.saved_tensors
        return (grad_y * right).sum_to_size(left.shape), (grad_y * left).sum_to_size(right.shape)

    @staticmethod
    def jvp(ctx, dleft, dright):
        left, right = ctx.saved_tensors
        dy = torch.zeros_like(left * right)
        if dleft is not None:
            dy = dy + dleft * right
        if dright is not None:
            dy = dy + left * dright
        return dy


class MultiplyDroppingSecondTangent(Multiply):
    """The tangent of right is ignored."""

    @staticmethod
    def jvp(ctx, dleft, dright):
        return Multiply.jvp(ctx, dleft, None)


class GeluExact(SavesInputs):
    """y = x Φ(x)."""

    @staticmethod
    def forward(x):
        return F.gelu(x)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        density = torch.exp(-x * x / 2) / (2 * torch.pi) ** 0.5
        return grad_y * (torch.special.ndtr(x) + x * density)


class GeluApproximateForward(GeluExact):
    """Forward uses the tanh approximation, backward the exact derivative."""

    @staticmethod
    def forward(x):
        return F.gelu(x, approximate="tanh")


class Variance(SavesInputs):
    """y = unbiased variance of each row."""

    @staticmethod
    def forward(x):
        return x.var(-1)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        centred = x - x.mean(-1, keepdim=True)
        return grad_y.unsqueeze(-1) * 2 * centred / (x.shape[-1] - 1)


class VarianceBiasedForward(Variance):
    """Forward divides by n, backward by n - 1."""

    @staticmethod
    def forward(x):
        return x.var(-1, correction=0)


class Softplus(SavesInputs):
    """y = log(1 + exp x)."""

    @staticmethod
    def forward(x):
        return F.softplus(x)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * x.sigmoid()


class SoftplusWithOffset(Softplus):
    """Forward is shifted by a constant: every derivative is right, the value is not."""

    @staticmethod
    def forward(x):
        return F.softplus(x) - 0.6931


def plain_bug(name, wrong, right, reference, inputs, causes, source, behavioural=False):
    return PlantedBug(name, wrong, right, reference, inputs, inputs, causes, source, behavioural)


BUGS = (
    plain_bug(
        "tanh forgets its slope in forward mode",
        TanhWithoutSlopeInTangent,
        Tanh,
        torch.tanh,
        normals((4, 3)),
        ("forward-mode-wrong",),
        "a tangent rule written apart from its backward",
        behavioural=True,
    ),
    plain_bug(
        "product drops a tangent in forward mode",
        MultiplyDroppingSecondTangent,
        Multiply,
        torch.mul,
        normals((5, 3), (5, 3)),
        ("forward-mode-wrong",),
        "a tangent rule written apart from its backward",
        behavioural=True,
    ),
    plain_bug(
        "gelu approximates in forward only",
        GeluApproximateForward,
        GeluExact,
        F.gelu,
        normals((5, 4)),
        ("forward-wrong",),
        "forward and backward of two different functions",
    ),
    plain_bug(
        "variance divides by n in forward only",
        VarianceBiasedForward,
        Variance,
        lambda x: x.var(-1),
        normals((4, 6)),
        ("forward-wrong",),
        "forward and backward of two different functions",
    ),
    plain_bug(
        "softplus is shifted by a constant",
        SoftplusWithOffset,
        Softplus,
        F.softplus,
        normals((3, 5)),
        ("forward-wrong",),
        "a wrong forward that no derivative shows",
    ),
)
