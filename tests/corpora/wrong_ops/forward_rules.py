"""Wrong forwards, and forward-mode rules that disagree with the backward."""

import torch
from torch.nn import functional as F

from tests.random_inputs import normals

from .planted import at, wrong_forward, wrong_tangent
from .right_rules import Gelu, Multiply, Softplus, Tanh
from .rule import SavesInputs, gradients_of


def saved_for_both_modes(ctx, inputs, output):
    SavesInputs.setup_context(ctx, inputs, output)
    ctx.save_for_forward(*inputs)


class TanhWithTangent(Tanh):
    """y = tanh x, with its forward-mode rule."""

    setup_context = staticmethod(saved_for_both_modes)

    @staticmethod
    def jvp(ctx, dx):
        (x,) = ctx.saved_tensors
        return dx * (1 - x.tanh() ** 2)


@wrong_tangent(
    TanhWithTangent,
    "forward-mode-wrong",
    source="a tangent rule written apart from its backward",
    behavioural=True,
)
@at(normals((4, 3)))
def tanh_forgets_its_slope_in_forward_mode(ctx, dx):
    """dy = dx."""
    return dx.clone()


class MultiplyWithTangent(Multiply):
    """y = left * right, with its forward-mode rule."""

    setup_context = staticmethod(saved_for_both_modes)

    @staticmethod
    def jvp(ctx, dleft, dright):
        left, right = ctx.saved_tensors
        dy = torch.zeros_like(left * right)
        if dleft is not None:
            dy = dy + dleft * right
        if dright is not None:
            dy = dy + left * dright
        return dy


@wrong_tangent(
    MultiplyWithTangent,
    "forward-mode-wrong",
    source="a tangent rule written apart from its backward",
    behavioural=True,
)
@at(normals((5, 3), (5, 3)))
def product_drops_a_tangent_in_forward_mode(ctx, dleft, dright):
    return MultiplyWithTangent.jvp(ctx, dleft, None)


@wrong_forward(Gelu, "forward-wrong", source="forward and backward of two different functions")
@at(normals((5, 4)))
def gelu_approximates_in_forward_only(x):
    """Forward uses the tanh approximation, backward the exact derivative."""
    return F.gelu(x, approximate="tanh")


@gradients_of(lambda x: x.var(-1))
def Variance(grad_y, x):
    """y = unbiased variance of each row."""
    centred = x - x.mean(-1, keepdim=True)
    return grad_y.unsqueeze(-1) * 2 * centred / (x.shape[-1] - 1)


@wrong_forward(Variance, "forward-wrong", source="forward and backward of two different functions")
@at(normals((4, 6)))
def variance_divides_by_n_in_forward_only(x):
    return x.var(-1, correction=0)


@wrong_forward(Softplus, "forward-wrong", source="a wrong forward that no derivative shows")
@at(normals((3, 5)))
def softplus_is_shifted_by_a_constant(x):
    """Forward is shifted by a constant: every derivative is right, the value is not."""
    return F.softplus(x) - 0.6931
