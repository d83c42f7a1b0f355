"""Memory that is not theirs, not written yet, or not laid out as they believe."""

import torch
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from tests.corpora.wrong_ops.layouts import in_memory_order
from tests.random_inputs import normal, normals

from .by_hand import Slip, by_hand

SOME = normals((3, 4))


@by_hand(
    lambda x, index: x[index],
    lambda generator: (normal(generator, 5, 3), torch.tensor([0, 2, 2, 4])),
    Slip(
        "added to nothing",
        ("uninitialised-memory",),
        "the gradient is added into torch.empty",
        "ByteDance-Seed/Triton-distributed#182",
    ),
    in_its_right_form=False,
)
def rows(_):
    def forward(ctx, x, index):
        ctx.save_for_backward(index)
        ctx.shape = x.shape
        return x[index]

    @once_differentiable
    def backward(ctx, grad_y):
        (index,) = ctx.saved_tensors
        return torch.empty(ctx.shape, dtype=grad_y.dtype).index_add_(0, index, grad_y), None

    return forward, backward


@by_hand(
    lambda x: x.exp() - x,
    SOME,
    Slip(
        "grad_y multiplied",
        ("mutates-grad-output",),
        "grad_y is multiplied in place",
        "microsoft/nni#3160",
    ),
    in_its_right_form=False,
)
def exponential_less_x(_):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.exp() - x

    @once_differentiable
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y.mul_(x.exp() - 1)

    return forward, backward


@by_hand(
    F.relu,
    SOME,
    Slip(
        "input overwritten",
        ("mutates-input",),
        "forward overwrites its input through .data and does not mark it",
        "ReLU in place in inplace_abn",
    ),
    in_its_right_form=False,
)
def relu(_):
    def forward(ctx, x):
        x.data.clamp_(min=0)
        ctx.save_for_backward(x)
        return x.clone()

    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * (x > 0)

    return forward, backward


@by_hand(torch.exp, SOME)
def exponential_in_place(_):
    """In place, and marked so; what is handed in is a copy."""

    class Exponential(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x.exp_())
            ctx.save_for_backward(x)
            return x

        @staticmethod
        @once_differentiable
        def backward(ctx, grad_y):
            (y,) = ctx.saved_tensors
            return grad_y * y

    return lambda x: Exponential.apply(x.clone())


@by_hand(
    lambda x: (torch.sin(x), torch.cos(x)),
    SOME,
    Slip(
        "strides of the output",
        ("layout-dependent",),
        "the cotangents are read with the output's strides, as after torch.cat",
        "pytorch/pytorch#194719",
    ),
)
def sine_and_cosine(slip):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sin(), x.cos()

    @once_differentiable
    def backward(ctx, grad_sine, grad_cosine):
        (x,) = ctx.saved_tensors
        if slip:
            grad_sine, grad_cosine = in_memory_order(grad_sine), in_memory_order(grad_cosine)
        return grad_sine * x.cos() - grad_cosine * x.sin()

    return forward, backward


@by_hand(
    torch.square,
    SOME,
    Slip(
        "view",
        ("layout-dependent", "raises"),
        "view(-1) raises for a cotangent with strides",
        "pytorch/pytorch#64529",
    ),
    in_its_right_form=False,
)
def flat_square(_):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return (2 * x.reshape(-1) * grad_y.view(-1)).view(x.shape)

    return forward, backward


@by_hand(torch.clone, SOME)
def identity(_):
    """A view of its input is returned."""

    def forward(_, x):
        return x.view_as(x)

    def backward(_, grad_y):
        return grad_y

    return forward, backward
