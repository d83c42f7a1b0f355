"""Rules for vmap and forward mode beside a backward, and sums over a group of processes."""

import torch
from torch.autograd import Function

from tests.random_inputs import normals

from .by_hand import backward_of, by_hand, wrong


@wrong(
    "in_dims",
    ("vmap-wrong",),
    "the rule for vmap does not look where the batch is",
    "pytorch/pytorch#90037",
    ordinary=normals((4,)),
)
@by_hand(lambda x: torch.softmax(x, -1), normals((3, 4)))
def softmax_with_a_vmap_rule(slip):
    class Softmax(Function):
        @staticmethod
        def forward(x):
            return torch.softmax(x, -1)

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(output)

        @staticmethod
        def backward(ctx, grad_y):
            (y,) = ctx.saved_tensors
            return y * (grad_y - (grad_y * y).sum(-1, keepdim=True))

        @staticmethod
        def vmap(info, in_dims, x):
            return Softmax.apply(x if slip else x.movedim(in_dims[0], 0)), 0

    return Softmax


@by_hand(lambda x, weight: (x * weight).sum(-1), normals((3, 4), (3, 4)))
def dot_with_a_vmap_rule(_):
    class Dot(Function):
        @staticmethod
        def forward(x, weight):
            return (x * weight).sum(-1)

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, grad_y):
            x, weight = ctx.saved_tensors
            return grad_y[..., None] * weight, grad_y[..., None] * x

        @staticmethod
        def vmap(info, in_dims, *inputs):
            in_front = (
                x if dim is None else x.movedim(dim, 0)
                for x, dim in zip(inputs, in_dims, strict=True)
            )
            return Dot.apply(*torch.broadcast_tensors(*in_front)), 0

    return Dot


@wrong(
    "other formula",
    ("forward-mode-wrong",),
    "1 − y for 1 − y² in forward mode",
    "a jvp beside a backward",
)
@by_hand(torch.tanh, normals((3, 4)))
def tanh_with_a_tangent(slip):
    class Tanh(Function):
        @staticmethod
        def forward(ctx, x):
            y = torch.tanh(x)
            ctx.save_for_backward(y)
            ctx.save_for_forward(y)
            return y

        @staticmethod
        def backward(ctx, grad_y):
            (y,) = ctx.saved_tensors
            return grad_y * (1 - y * y)

        @staticmethod
        def jvp(ctx, dx):
            (y,) = ctx.saved_tensors
            return dx * (1 - y) if slip else dx * (1 - y * y)

    return Tanh


@wrong(
    "divided by the group",
    ("constant-factor",),
    "the gradient is divided by the number of processes",
    "hpcaitech/ColossalAI#3044",
)
@backward_of(lambda parts: parts.sum(0), normals((3, 2, 4)))
def reduce_over_a_group(slip, grad_y, parts):
    """The parts that a group of processes would hold, in one; the gradient is expanded."""
    return (grad_y / len(parts) if slip else grad_y).expand(parts.shape)
