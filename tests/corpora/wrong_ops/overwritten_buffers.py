"""Backward writes into memory that others still read."""

import torch
from torch.autograd import Function
from torch.nn import functional as F

from tests.random_inputs import normals

from .planted import at, wrong_backward, wrong_forward, wrong_function
from .right_rules import Sin, Softplus, SwiGlu
from .rule import gradients_of


@wrong_backward(Sin, "mutates-grad-output", source="linkedin/Liger-Kernel#1305", behavioural=True)
@at(normals((4, 6)))
def sin_multiplies_grad_output_in_place(grad_y, x):
    """Writes the product into the caller's grad_output."""
    return grad_y.mul_(x.cos())


@wrong_backward(
    Sin, "mutates-grad-output", source="a caller's buffer left scaled", behavioural=True
)
@at(normals((5, 3)))
def sin_leaves_grad_output_doubled(grad_y, x):
    """Returns a new tensor, and leaves grad_output doubled behind it."""
    grad_x = Sin.gradients(grad_y, x)
    grad_y.mul_(2)
    return grad_x


@gradients_of(lambda x: x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6))
def RmsNormalise(grad_y, x):
    """y = x / rms(x) over the last dimension."""
    reciprocal = torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)
    y = x * reciprocal
    return reciprocal * (grad_y - y * (grad_y * y).mean(-1, keepdim=True))


@wrong_backward(
    RmsNormalise, "mutates-grad-output", source="linkedin/Liger-Kernel#1305", behavioural=True
)
@at(normals((5, 7)))
def rms_norm_writes_grad_x_into_grad_output(grad_y, x):
    return grad_y.copy_(RmsNormalise.gradients(grad_y, x))


@wrong_function(SwiGlu, "mutates-saved", source="linkedin/Liger-Kernel#254", behavioural=True)
@at(normals((4, 5), (4, 5)))
class SwigluOverwritesWhatItSaved(Function):
    """The kept activations are the output buffers of backward."""

    @staticmethod
    def forward(ctx, gate, up):
        ctx.save_for_backward(gate.clone(), up.clone())
        return F.silu(gate) * up

    @staticmethod
    def backward(ctx, grad_y):
        kept_gate, kept_up = ctx.saved_tensors
        grad_gate, grad_up = SwiGlu.gradients(grad_y, kept_gate, kept_up)
        kept_gate.data.copy_(grad_gate)
        kept_up.data.copy_(grad_up)
        return grad_gate, grad_up


@wrong_backward(
    Softplus,
    "mutates-input",
    "mutates-saved",
    source="a saved input used as scratch memory",
    behavioural=True,
)
@at(normals((3, 5)))
def softplus_backward_overwrites_its_input(grad_y, x):
    """Uses the memory of x for the sigmoid."""
    grad_x = grad_y * x.sigmoid()
    x.data.sigmoid_()
    return grad_x


@wrong_forward(Softplus, "mutates-input", source="an in-place forward without mark_dirty")
@at(normals((6, 4)))
def softplus_forward_clamps_its_input(x):
    """Forward clamps the caller's x in place and does not say so."""
    y = F.softplus(x)
    x.data.clamp_(min=0)
    return y


@gradients_of(lambda x, residual: x + residual)
def AddResidual(grad_y, x, residual):
    """y = x + residual."""
    return grad_y.clone(), grad_y.clone()


@wrong_backward(
    AddResidual,
    "aliased-buffer",
    source="linkedin/Liger-Kernel#1305, second lesson",
    behavioural=True,
)
@at(normals((5, 4), (5, 4)))
def add_hands_one_buffer_to_both_inputs(grad_y, x, residual):
    """Both gradients are views of one buffer: editing one in place edits the other."""
    shared = grad_y.clone()
    return shared, shared.view_as(shared)


def exp_plus_one(x):
    return x.exp() + 1


@wrong_function(
    exp_plus_one, "raises", source="discuss.pytorch.org/t/169583", reference=exp_plus_one
)
@at(normals((4, 3)))
def exp_edits_its_saved_output_in_place(x):
    """exp saves its output, which is then edited in place."""
    y = x.exp()
    y += 1
    return y
