"""Rows that are added, averaged, multiplied, taken and filled by index or mask."""

import torch
from torch.nn import functional as F

from tests.random_inputs import indices, leaf, normal

from .by_hand import Slip, by_hand


def scattered_mean(x, index, size):
    belongs = F.one_hot(index, size).to(x.dtype)
    return belongs.t() @ x / belongs.sum(0).clamp(min=1)[:, None]


@by_hand(
    scattered_mean,
    lambda generator: (normal(generator, 6, 3), torch.tensor([0, 2, 2, 0, 0, 3]), 5),
    Slip(
        "no count",
        ("missing-local-derivative",),
        "the gradient is not divided by the counts",
        "rusty1s/pytorch_scatter#118",
    ),
)
def scatter_mean(slip):
    def forward(ctx, x, index, size):
        count = torch.bincount(index, minlength=size).clamp(min=1).to(x.dtype)
        ctx.save_for_backward(index, count)
        return x.new_zeros(size, x.shape[1]).index_add_(0, index, x) / count[:, None]

    def backward(ctx, grad_y):
        index, count = ctx.saved_tensors
        if not slip:
            grad_y = grad_y / count[:, None]
        return grad_y[index], None, None

    return forward, backward


def products(x, index, size):
    return torch.stack([x[index == i].prod() for i in range(size)])


def factors(generator):
    return normal(generator, 6), torch.tensor([0, 0, 1, 1, 1, 2]), 3


def factors_with_a_zero(generator):
    x, *others = factors(generator)
    x = x.detach()
    x[3] = 0
    return leaf(x), *others


@by_hand(
    products,
    factors_with_a_zero,
    Slip(
        "zero factor",
        ("wrong-elements",),
        "grad_y·y/x, set to 0 where x is 0",
        "pytorch/pytorch#76523",
        ordinary=factors,
    ),
)
def scatter_product(slip):
    def forward(ctx, x, index, size):
        y = products(x, index, size)
        ctx.save_for_backward(x, index, y)
        return y

    def backward(ctx, grad_y):
        x, index, y = ctx.saved_tensors
        if slip:
            return (grad_y * y)[index].div(x).masked_fill(x == 0, 0), None, None
        other = (index[:, None] == index) & ~torch.eye(len(x), dtype=torch.bool)
        others = torch.where(other, x[None, :], torch.ones_like(x)[None]).prod(1)
        return grad_y[index] * others, None, None

    return forward, backward


def added_rows(count):
    """The index may be shorter than what it adds."""
    return lambda generator: (
        normal(generator, 5, 3),
        indices(generator, 5, count, 3),
        normal(generator, 4, 3),
    )


@by_hand(
    lambda base, index, x: torch.scatter_add(base, 0, index, x[: len(index)]),
    added_rows(3),
    Slip(
        "shorter index",
        ("wrong-shape", "raises"),
        "the gradient of what is added has the index's shape",
        "pytorch/pytorch#188843",
        ordinary=added_rows(4),
    ),
)
def scatter_add(slip):
    def forward(ctx, base, index, x):
        ctx.save_for_backward(index)
        ctx.shape = x.shape
        return base.scatter_add(0, index, x[: len(index)])

    def backward(ctx, grad_y):
        (index,) = ctx.saved_tensors
        grad_x = grad_y.gather(0, index)
        if not slip:
            whole = grad_y.new_zeros(ctx.shape)
            whole[: len(index)] = grad_x
            grad_x = whole
        return grad_y, None, grad_x

    return forward, backward


@by_hand(
    lambda x, index: x[index],
    lambda generator: (normal(generator, 5, 2), torch.tensor([0, 3, -1])),
    Slip(
        "negative index",
        ("wrong-elements", "missing-term"),
        "−1 counts from the end forwards and is clamped to 0 backwards",
        "index_select kernels of PaddlePaddle and burn",
        ordinary=lambda generator: (normal(generator, 5, 2), torch.tensor([0, 3, 4])),
    ),
)
def take(slip):
    def forward(ctx, x, index):
        ctx.save_for_backward(index)
        ctx.height = len(x)
        return x[index]

    def backward(ctx, grad_y):
        (index,) = ctx.saved_tensors
        index = index.clamp(min=0) if slip else index % ctx.height
        zeros = grad_y.new_zeros(ctx.height, *grad_y.shape[1:])
        return zeros.index_add_(0, index, grad_y), None

    return forward, backward


@by_hand(
    lambda x, mask, value: x.masked_fill(mask, value),
    lambda generator: (normal(generator, 4, 5), torch.rand(4, 5, generator=generator) > 0.6, -2.0),
    Slip(
        "filled entries",
        ("wrong-elements",),
        "the filled entries still get a gradient",
        "masked_fill and where by hand in frameworks of learners",
    ),
    in_its_right_form=False,
)
def masked_fill(slip):
    def forward(ctx, x, mask, value):
        ctx.save_for_backward(mask)
        return x.masked_fill(mask, value)

    def backward(ctx, grad_y):
        (mask,) = ctx.saved_tensors
        return grad_y if slip else grad_y.masked_fill(mask, 0), None, None

    return forward, backward
