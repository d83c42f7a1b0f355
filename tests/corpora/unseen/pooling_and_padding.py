"""Pooling, padding, and pixels that become places."""

import torch
from torch.nn import functional as F

from tests.random_inputs import normal

from .by_hand import backward_of, wrong


def windows_of_two(length):
    return lambda generator: (normal(generator, 2, 3, length), 2)


@wrong(
    "overhanging window",
    ("wrong-elements",),
    "the last window overhangs and is divided by the full size",
    "tracel-ai/burn#5604, pytorch/pytorch#198119",
    ordinary=windows_of_two(8),
)
@backward_of(
    lambda x, size: F.avg_pool1d(x, size, ceil_mode=True),
    windows_of_two(7),
    forward=lambda x, size: torch.stack([each.mean(-1) for each in x.split(size, -1)], -1),
)
def average_pooling(slip, grad_y, x, size):
    grads = []
    for i in range(grad_y.shape[-1]):
        count = min(size, x.shape[-1] - i * size)
        grad = grad_y[..., i : i + 1] / (size if slip else count)
        grads.append(grad.expand(*grad_y.shape[:-1], count))
    return torch.cat(grads, -1), None


def max_windows(size, stride):
    return lambda generator: (normal(generator, 2, 3, 8), size, stride)


def max_pooling_forward(x, size, stride):
    y, index = F.max_pool1d(x, size, stride, return_indices=True)
    return y, {"index": index}


@wrong(
    "overlapping windows",
    ("wrong-elements", "missing-term"),
    "scatter in the place of scatter_add",
    "overlapping windows of max-pooling in numpy",
    ordinary=max_windows(2, 2),
)
@backward_of(
    lambda x, size, stride: F.max_pool1d(x, size, stride),
    max_windows(3, 1),
    forward=max_pooling_forward,
)
def max_pooling(slip, grad_y, x, index):
    zeros = grad_y.new_zeros(x.shape)
    put = zeros.scatter if slip else zeros.scatter_add
    return put(2, index, grad_y), None, None


def average_pooling_by_strides_forward(x, size):
    *leading, height, width = x.shape
    x = x.contiguous()
    shape = (*leading, height - size + 1, width - size + 1, size, size)
    return x.as_strided(shape, (*x.stride(), *x.stride()[2:])).mean((-1, -2))


@backward_of(
    lambda x, size: F.avg_pool2d(x, size, 1),
    lambda generator: (normal(generator, 1, 2, 5, 4), 2),
    forward=average_pooling_by_strides_forward,
)
def average_pooling_by_strides(_, grad_y, x, size):
    """Columns by as_strided of contiguous memory, and fold for the way back."""
    batch, channels, height, width = x.shape
    area = size**2
    spread = (grad_y / area).reshape(batch, channels, 1, -1).expand(-1, -1, area, -1)
    columns = spread.reshape(batch, channels * area, -1)
    return F.fold(columns, (height, width), size), None


def reflected(x, margin):
    return F.pad(x, (margin, margin), mode="reflect")


@wrong(
    "cropped",
    ("missing-term", "wrong-elements"),
    "the gradient of reflected entries is cut off",
    "reflect padding of ONNX and tinygrad backends",
)
@backward_of(reflected, lambda generator: (normal(generator, 2, 3, 7), 2))
def reflection_padding(slip, grad_y, margin):
    grad_x = grad_y[..., margin:-margin].clone()
    if not slip:
        grad_x[..., 1 : margin + 1] += grad_y[..., :margin].flip(-1)
        grad_x[..., -margin - 1 : -1] += grad_y[..., -margin:].flip(-1)
    return grad_x, None


def pixel_shuffle_forward(x, k):
    batch, channels, height, width = x.shape
    blocks = x.view(batch, channels // k**2, k, k, height, width).permute(0, 1, 4, 2, 5, 3)
    return blocks.reshape(batch, channels // k**2, height * k, width * k)


@wrong(
    "reshaped alone",
    ("missing-local-derivative", "transposed"),
    "the permutation is not undone",
    "space to depth by a reshape",
)
@backward_of(
    F.pixel_shuffle,
    lambda generator: (normal(generator, 1, 4, 3, 2), 2),
    forward=pixel_shuffle_forward,
)
def pixel_shuffle(slip, grad_y, x, k):
    batch, channels, height, width = x.shape
    if slip:
        return grad_y.reshape(x.shape), None
    blocks = grad_y.reshape(batch, channels // k**2, height, k, width, k)
    return blocks.permute(0, 1, 3, 5, 2, 4).reshape(x.shape), None
