"""Right once, and wrong when differentiated again."""

import numpy as np
import torch
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from tests.random_inputs import normals

from .by_hand import backward_of, by_hand, wrong

SOME = normals((3, 4))


@wrong(
    "intermediate saved",
    ("second-order-wrong", "not-finite"),
    "what is saved is an intermediate: a second derivative takes it for a constant",
    "pytorch/pytorch#104040",
)
@by_hand(torch.sigmoid, SOME)
def logistic(slip):
    def of_intermediate(ctx, x):
        e = torch.exp(-x)
        ctx.save_for_backward(e)
        return 1 / (1 + e)

    def through_intermediate(ctx, grad_y):
        (e,) = ctx.saved_tensors
        return grad_y * e / (1 + e) ** 2

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sigmoid(x)

    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * torch.sigmoid(x) * torch.sigmoid(-x)

    return (of_intermediate, through_intermediate) if slip else (forward, backward)


@wrong(
    "detached",
    ("second-order-wrong",),
    ".detach() in a backward that can be differentiated",
    "NVlabs/tiny-cuda-nn#69",
)
@backward_of(lambda x: x**3, SOME)
def cube(slip, grad_y, x):
    x = x.detach() if slip else x
    return 3 * x * x * grad_y


@wrong(
    "through numpy",
    ("second-order-wrong",),
    "numpy cuts the graph, and once_differentiable does not say so",
    "numpy in backward by way of .detach()",
)
@backward_of(
    torch.sin, SOME, forward=lambda x: torch.from_numpy(np.sin(x.detach().numpy())), right=False
)
def sine_by_numpy(_, grad_y, x):
    return torch.from_numpy(grad_y.detach().numpy() * np.cos(x.detach().numpy()))


def arctangent_by_numpy_forward(x):
    array = x.detach().cpu().numpy()
    return x.new_tensor(np.arctan(array)), {"array": array}


@backward_of(torch.arctan, SOME, forward=arctangent_by_numpy_forward, once=True)
def arctangent_by_numpy(_, grad_y, array):
    return grad_y / (1 + torch.from_numpy(array) ** 2)


class SoftplusBackward(Function):
    @staticmethod
    def forward(ctx, x, grad_y):
        ctx.save_for_backward(x, grad_y)
        return torch.sigmoid(x) * grad_y

    @staticmethod
    @once_differentiable
    def backward(ctx, grad_grad):
        x, grad_y = ctx.saved_tensors
        s = torch.sigmoid(x)
        return grad_grad * grad_y * s * (1 - s), grad_grad * s


@backward_of(F.softplus, SOME, forward=lambda x: F.softplus(x))
def softplus_in_two_functions(_, grad_y, x):
    """The backward is a Function with a backward of its own."""
    return SoftplusBackward.apply(x, grad_y)


def two_layers(x, first, second):
    return torch.tanh(x @ first) @ second


@by_hand(two_layers, normals((3, 4), (4, 5), (5, 2)))
def checkpoint(_):
    """Backward runs the forward again and asks autograd."""

    def forward(ctx, *inputs):
        ctx.save_for_backward(*inputs)
        with torch.no_grad():
            return two_layers(*inputs)

    @once_differentiable
    def backward(ctx, grad_y):
        inputs = [x.detach().requires_grad_() for x in ctx.saved_tensors]
        with torch.enable_grad():
            y = two_layers(*inputs)
        return torch.autograd.grad(y, inputs, grad_y)

    return forward, backward


@wrong(
    "of the sum",
    ("missing-local-derivative", "transposed"),
    "the gradient of the sum is kept and scaled by grad_y: right for ones alone",
    "gradients that are made in forward",
)
@by_hand(lambda x: torch.sin(x).cumsum(-1), SOME, right=False)
def running_sine(_):
    def forward(ctx, x):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            y = torch.sin(x).cumsum(-1)
            (ctx.grad_x,) = torch.autograd.grad(y.sum(), x)
        return y.detach()

    @once_differentiable
    def backward(ctx, grad_y):
        return ctx.grad_x * grad_y

    return forward, backward
