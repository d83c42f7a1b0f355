"""Pooling, padding, and pixels that become places."""

import torch
from torch.nn import functional as F

from tests.random_inputs import normal

from .by_hand import Slip, by_hand


def windows_of_two(length):
    return lambda generator: (normal(generator, 2, 3, length), 2)


@by_hand(
    lambda x, size: F.avg_pool1d(x, size, ceil_mode=True),
    windows_of_two(7),
    Slip(
        "overhanging window",
        ("wrong-elements",),
        "the last window overhangs and is divided by the full size",
        "tracel-ai/burn#5604, pytorch/pytorch#198119",
        ordinary=windows_of_two(8),
    ),
)
def average_pooling(slip):
    def forward(ctx, x, size):
        ctx.size, ctx.length = size, x.shape[-1]
        return torch.stack([window.mean(-1) for window in x.split(size, -1)], -1)

    def backward(ctx, grad_y):
        grads = []
        for i in range(grad_y.shape[-1]):
            count = min(ctx.size, ctx.length - i * ctx.size)
            grad = grad_y[..., i : i + 1] / (ctx.size if slip else count)
            grads.append(grad.expand(*grad_y.shape[:-1], count))
        return torch.cat(grads, -1), None

    return forward, backward


def max_windows(size, stride):
    return lambda generator: (normal(generator, 2, 3, 8), size, stride)


@by_hand(
    lambda x, size, stride: F.max_pool1d(x, size, stride),
    max_windows(3, 1),
    Slip(
        "overlapping windows",
        ("wrong-elements", "missing-term"),
        "scatter in the place of scatter_add",
        "overlapping windows of max-pooling in numpy",
        ordinary=max_windows(2, 2),
    ),
)
def max_pooling(slip):
    def forward(ctx, x, size, stride):
        y, index = F.max_pool1d(x, size, stride, return_indices=True)
        ctx.save_for_backward(index)
        ctx.shape = x.shape
        return y

    def backward(ctx, grad_y):
        (index,) = ctx.saved_tensors
        zeros = grad_y.new_zeros(ctx.shape)
        put = zeros.scatter if slip else zeros.scatter_add
        return put(2, index, grad_y), None, None

    return forward, backward


@by_hand(
    lambda x, size: F.avg_pool2d(x, size, 1),
    lambda generator: (normal(generator, 1, 2, 5, 4), 2),
)
def average_pooling_by_strides(_):
    """Columns by as_strided of contiguous memory, and fold for the way back."""

    def forward(ctx, x, size):
        *leading, height, width = x.shape
        ctx.shape, ctx.size = x.shape, size
        x = x.contiguous()
        shape = (*leading, height - size + 1, width - size + 1, size, size)
        return x.as_strided(shape, (*x.stride(), *x.stride()[2:])).mean((-1, -2))

    def backward(ctx, grad_y):
        batch, channels, height, width = ctx.shape
        area = ctx.size**2
        spread = (grad_y / area).reshape(batch, channels, 1, -1).expand(-1, -1, area, -1)
        columns = spread.reshape(batch, channels * area, -1)
        return F.fold(columns, (height, width), ctx.size), None

    return forward, backward


def reflected(x, margin):
    return F.pad(x, (margin, margin), mode="reflect")


@by_hand(
    reflected,
    lambda generator: (normal(generator, 2, 3, 7), 2),
    Slip(
        "cropped",
        ("missing-term", "wrong-elements"),
        "the gradient of reflected entries is cut off",
        "reflect padding of ONNX and tinygrad backends",
    ),
)
def reflection_padding(slip):
    def forward(ctx, x, margin):
        ctx.margin = margin
        return reflected(x, margin)

    def backward(ctx, grad_y):
        m = ctx.margin
        grad_x = grad_y[..., m:-m].clone()
        if not slip:
            grad_x[..., 1 : m + 1] += grad_y[..., :m].flip(-1)
            grad_x[..., -m - 1 : -1] += grad_y[..., -m:].flip(-1)
        return grad_x, None

    return forward, backward


@by_hand(
    F.pixel_shuffle,
    lambda generator: (normal(generator, 1, 4, 3, 2), 2),
    Slip(
        "reshaped alone",
        ("missing-local-derivative", "transposed"),
        "the permutation is not undone",
        "space to depth by a reshape",
    ),
)
def pixel_shuffle(slip):
    def forward(ctx, x, k):
        batch, channels, height, width = x.shape
        ctx.k, ctx.shape = k, x.shape
        blocks = x.view(batch, channels // k**2, k, k, height, width).permute(0, 1, 4, 2, 5, 3)
        return blocks.reshape(batch, channels // k**2, height * k, width * k)

    def backward(ctx, grad_y):
        k, (batch, channels, height, width) = ctx.k, ctx.shape
        if slip:
            return grad_y.reshape(ctx.shape), None
        blocks = grad_y.reshape(batch, channels // k**2, height, k, width, k)
        return blocks.permute(0, 1, 3, 5, 2, 4).reshape(ctx.shape), None

    return forward, backward
