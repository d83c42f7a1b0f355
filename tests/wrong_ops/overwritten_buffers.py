"""Backward writes into memory that others still read."""

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


class SinIntoGradOutput(Sin):
    """Writes the product into the caller's grad_output."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y.mul_(x.cos())


class SinScalingGradOutputBack(Sin):
    """Returns a new tensor, and leaves grad_output doubled behind it."""

    @staticmethod
    def backward(ctx, grad_y):
        grad_x = Sin.backward(ctx, grad_y)
        grad_y.mul_(2)
        return grad_x


def rms_normalise(x):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)


class RmsNormalise(SavesInputs):
    """y = x / rms(x) over the last dimension."""

    @staticmethod
    def forward(x):
        return rms_normalise(x)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        reciprocal = torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)
        y = x * reciprocal
        return reciprocal * (grad_y - y * (grad_y * y).mean(-1, keepdim=True))


class RmsNormaliseIntoGradOutput(RmsNormalise):
    """grad_x is written into the buffer of grad_output."""

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y.copy_(RmsNormalise.backward(ctx, grad_y))


class SwiGlu(Function):
    """y = silu(gate) * up, keeping copies of both."""

    @staticmethod
    def forward(ctx, gate, up):
        ctx.save_for_backward(gate, up)
        return F.silu(gate) * up

    @staticmethod
    def backward(ctx, grad_y):
        gate, up = ctx.saved_tensors
        sigmoid = gate.sigmoid()
        grad_gate = grad_y * up * sigmoid * (1 + gate * (1 - sigmoid))
        return grad_gate, grad_y * gate * sigmoid


class SwiGluOverwritingWhatItSaved(SwiGlu):
    """The kept activations are the output buffers of backward."""

    @staticmethod
    def forward(ctx, gate, up):
        ctx.save_for_backward(gate.clone(), up.clone())
        return F.silu(gate) * up

    @staticmethod
    def backward(ctx, grad_y):
        grad_gate, grad_up = SwiGlu.backward(ctx, grad_y)
        kept_gate, kept_up = ctx.saved_tensors
        kept_gate.data.copy_(grad_gate)
        kept_up.data.copy_(grad_up)
        return grad_gate, grad_up


class Softplus(SavesInputs):
    """y = log(1 + exp x)."""

    @staticmethod
    def forward(x):
        return F.softplus(x)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * x.sigmoid()


class SoftplusOverwritingItsInput(Softplus):
    """Uses the memory of x for the sigmoid."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        grad_x = grad_y * x.sigmoid()
        x.data.sigmoid_()
        return grad_x


class SoftplusClampingItsInput(Softplus):
    """Forward clamps the caller's x in place and does not say so."""

    @staticmethod
    def forward(x):
        y = F.softplus(x)
        x.data.clamp_(min=0)
        return y


class AddResidual(Function):
    """y = x + residual."""

    @staticmethod
    def forward(x, residual):
        return x + residual

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y.clone(), grad_y.clone()


class AddResidualSharingOneBuffer(AddResidual):
    """Both gradients are views of one buffer: editing one in place edits the other."""

    @staticmethod
    def backward(ctx, grad_y):
        shared = grad_y.clone()
        return shared, shared.view_as(shared)


def exp_plus_one(x):
    return x.exp() + 1


def exp_plus_one_in_place(x):
    """exp saves its output, which is then edited in place."""
    y = x.exp()
    y += 1
    return y


BUGS = (
    PlantedBug(
        name="sin multiplies grad_output in place",
        wrong=SinIntoGradOutput,
        right=Sin,
        reference=torch.sin,
        ordinary=normals((4, 6)),
        tripping=normals((4, 6)),
        causes=("mutates-grad-output",),
        source="linkedin/Liger-Kernel#1305",
        behavioural=True,
    ),
    PlantedBug(
        name="sin leaves grad_output doubled",
        wrong=SinScalingGradOutputBack,
        right=Sin,
        reference=torch.sin,
        ordinary=normals((5, 3)),
        tripping=normals((5, 3)),
        causes=("mutates-grad-output",),
        source="a caller's buffer left scaled",
        behavioural=True,
    ),
    PlantedBug(
        name="rms norm writes grad_x into grad_output",
        wrong=RmsNormaliseIntoGradOutput,
        right=RmsNormalise,
        reference=rms_normalise,
        ordinary=normals((5, 7)),
        tripping=normals((5, 7)),
        causes=("mutates-grad-output",),
        source="linkedin/Liger-Kernel#1305",
        behavioural=True,
    ),
    PlantedBug(
        name="swiglu overwrites what it saved",
        wrong=SwiGluOverwritingWhatItSaved,
        right=SwiGlu,
        reference=lambda gate, up: F.silu(gate) * up,
        ordinary=normals((4, 5), (4, 5)),
        tripping=normals((4, 5), (4, 5)),
        causes=("mutates-saved",),
        source="linkedin/Liger-Kernel#254",
        behavioural=True,
    ),
    PlantedBug(
        name="softplus backward overwrites its input",
        wrong=SoftplusOverwritingItsInput,
        right=Softplus,
        reference=F.softplus,
        ordinary=normals((3, 5)),
        tripping=normals((3, 5)),
        causes=("mutates-input", "mutates-saved"),
        source="a saved input used as scratch memory",
        behavioural=True,
    ),
    PlantedBug(
        name="softplus forward clamps its input",
        wrong=SoftplusClampingItsInput,
        right=Softplus,
        reference=F.softplus,
        ordinary=normals((6, 4)),
        tripping=normals((6, 4)),
        causes=("mutates-input",),
        source="an in-place forward without mark_dirty",
    ),
    PlantedBug(
        name="add hands one buffer to both inputs",
        wrong=AddResidualSharingOneBuffer,
        right=AddResidual,
        reference=torch.add,
        ordinary=normals((5, 4), (5, 4)),
        tripping=normals((5, 4), (5, 4)),
        causes=("aliased-buffer",),
        source="linkedin/Liger-Kernel#1305, second lesson",
        behavioural=True,
    ),
    PlantedBug(
        name="exp edits its saved output in place",
        wrong=exp_plus_one_in_place,
        right=exp_plus_one,
        reference=exp_plus_one,
        ordinary=normals((4, 3)),
        tripping=normals((4, 3)),
        causes=("raises",),
        source="discuss.pytorch.org/t/169583",
    ),
)
