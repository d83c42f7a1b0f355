"""Rows that are added, averaged, multiplied, taken and filled by index or mask."""

import torch
from torch.nn import functional as F

from tests.random_inputs import indices, leaf, normal

from .by_hand import backward_of, wrong


def scattered_mean(x, index, size):
    belongs = F.one_hot(index, size).to(x.dtype)
    return belongs.t() @ x / belongs.sum(0).clamp(min=1)[:, None]


def scatter_mean_forward(x, index, size):
    count = torch.bincount(index, minlength=size).clamp(min=1).to(x.dtype)
    return x.new_zeros(size, x.shape[1]).index_add_(0, index, x) / count[:, None], {"count": count}


@wrong(
    "no count",
    ("missing-local-derivative",),
    "the gradient is not divided by the counts",
    "rusty1s/pytorch_scatter#118",
)
@backward_of(
    scattered_mean,
    lambda generator: (normal(generator, 6, 3), torch.tensor([0, 2, 2, 0, 0, 3]), 5),
    forward=scatter_mean_forward,
)
def scatter_mean(slip, grad_y, index, count):
    if not slip:
        grad_y = grad_y / count[:, None]
    return grad_y[index], None, None


def products(x, index, size):
    return torch.stack([x[index == i].prod() for i in range(size)])


def factors(generator):
    return normal(generator, 6), torch.tensor([0, 0, 1, 1, 1, 2]), 3


def factors_with_a_zero(generator):
    x, *others = factors(generator)
    x = x.detach()
    x[3] = 0
    return leaf(x), *others


@wrong(
    "zero factor",
    ("wrong-elements",),
    "grad_y·y/x, set to 0 where x is 0",
    "pytorch/pytorch#76523",
    ordinary=factors,
)
@backward_of(products, factors_with_a_zero)
def scatter_product(slip, grad_y, x, index, y):
    if slip:
        return (grad_y * y)[index].div(x).masked_fill(x == 0, 0), None, None
    other = (index[:, None] == index) & ~torch.eye(len(x), dtype=torch.bool)
    others = torch.where(other, x[None, :], torch.ones_like(x)[None]).prod(1)
    return grad_y[index] * others, None, None


def added_rows(count):
    """The index may be shorter than what it adds."""
    return lambda generator: (
        normal(generator, 5, 3),
        indices(generator, 5, count, 3),
        normal(generator, 4, 3),
    )


@wrong(
    "shorter index",
    ("wrong-shape", "raises"),
    "the gradient of what is added has the index's shape",
    "pytorch/pytorch#188843",
    ordinary=added_rows(4),
)
@backward_of(lambda base, index, x: base.scatter_add(0, index, x[: len(index)]), added_rows(3))
def scatter_add(slip, grad_y, index, x):
    grad_x = grad_y.gather(0, index)
    if not slip:
        whole = grad_y.new_zeros(x.shape)
        whole[: len(index)] = grad_x
        grad_x = whole
    return grad_y, None, grad_x


@wrong(
    "negative index",
    ("wrong-elements", "missing-term"),
    "−1 counts from the end forwards and is clamped to 0 backwards",
    "index_select kernels of PaddlePaddle and burn",
    ordinary=lambda generator: (normal(generator, 5, 2), torch.tensor([0, 3, 4])),
)
@backward_of(
    lambda x, index: x[index], lambda generator: (normal(generator, 5, 2), torch.tensor([0, 3, -1]))
)
def take(slip, grad_y, x, index):
    index = index.clamp(min=0) if slip else index % len(x)
    zeros = grad_y.new_zeros(x.shape)
    return zeros.index_add_(0, index, grad_y), None


@wrong(
    "filled entries",
    ("wrong-elements",),
    "the filled entries still get a gradient",
    "masked_fill and where by hand in frameworks of learners",
)
@backward_of(
    lambda x, mask, value: x.masked_fill(mask, value),
    lambda generator: (normal(generator, 4, 5), torch.rand(4, 5, generator=generator) > 0.6, -2.0),
    right=False,
)
def masked_fill(slip, grad_y, mask):
    return grad_y if slip else grad_y.masked_fill(mask, 0), None, None
