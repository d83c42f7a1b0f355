"""Memory that is not theirs, not written yet, or not laid out as they believe."""

import torch
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from tests.corpora.wrong_ops.layouts import in_memory_order
from tests.random_inputs import normal, normals

from .by_hand import backward_of, by_hand, wrong

SOME = normals((3, 4))


@wrong(
    "added to nothing",
    ("uninitialised-memory",),
    "the gradient is added into torch.empty",
    "ByteDance-Seed/Triton-distributed#182",
)
@backward_of(
    lambda x, index: x[index],
    lambda generator: (normal(generator, 5, 3), torch.tensor([0, 2, 2, 4])),
    once=True,
    right=False,
)
def rows(_, grad_y, x, index):
    return torch.empty(x.shape, dtype=grad_y.dtype).index_add_(0, index, grad_y), None


@wrong(
    "grad_y multiplied",
    ("mutates-grad-output",),
    "grad_y is multiplied in place",
    "microsoft/nni#3160",
)
@backward_of(lambda x: x.exp() - x, SOME, once=True, right=False)
def exponential_less_x(_, grad_y, x):
    return grad_y.mul_(x.exp() - 1)


def relu_forward(x):
    x.data.clamp_(min=0)
    return x.clone()


@wrong(
    "input overwritten",
    ("mutates-input",),
    "forward overwrites its input through .data and does not mark it",
    "ReLU in place in inplace_abn",
)
@backward_of(F.relu, SOME, forward=relu_forward, right=False)
def relu(_, grad_y, x):
    return grad_y * (x > 0)


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


@wrong(
    "strides of the output",
    ("layout-dependent",),
    "the cotangents are read with the output's strides, as after torch.cat",
    "pytorch/pytorch#194719",
)
@backward_of(lambda x: (torch.sin(x), torch.cos(x)), SOME, once=True)
def sine_and_cosine(slip, grad_sine, grad_cosine, x):
    if slip:
        grad_sine, grad_cosine = in_memory_order(grad_sine), in_memory_order(grad_cosine)
    return grad_sine * x.cos() - grad_cosine * x.sin()


@wrong(
    "view",
    ("layout-dependent", "raises"),
    "view(-1) raises for a cotangent with strides",
    "pytorch/pytorch#64529",
)
@backward_of(torch.square, SOME, forward=lambda x: x * x, right=False)
def flat_square(_, grad_y, x):
    return (2 * x.reshape(-1) * grad_y.view(-1)).view(x.shape)


@backward_of(torch.clone, SOME, forward=lambda x: x.view_as(x))
def identity(_, grad_y):
    """A view of its input is returned."""
    return grad_y
