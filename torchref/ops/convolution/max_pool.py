"""Max pooling: of each window the largest entry, and to it the whole gradient."""

import math

import torch.nn.functional
from torch import Tensor

from torchref.ops.indexing import Gather, ScatterAdd
from torchref.ops.op import RoundedOnce, save

Sizes = tuple[int, ...]


class MaxPool(RoundedOnce):
    r"""y_t = max x_i over the places i of window t.

    Window t takes the k places s t − p, s t − p + d, ...; padding, p places on both sides, is −∞,
    and no window may lie in it alone.

    Derivation: y_t = x_m with m the place of the largest. As long as it is the largest, y_t moves
    with x_m alone, so with g = ∂L/∂y

        ∂L/∂x_i = Σ_t [m_t = i] g_t:

    an entry gets the gradients of all windows in which it was the largest. Where several are
    largest, one of them is taken for all, torch's choice; a mean over them would be as good a
    convention.
    Shapes: x (C, L, ...) or (N, C, L, ...), y (..., T, ...) with T as in `AvgPool`, where
    d (k − 1) + 1 stands for k.
    Saves x: the places of the largest are found anew.
    Source: Yamaguchi et al. 1990, "A Neural Network for Speaker-Independent Isolated Word
    Recognition".

    >>> MaxPool.call(torch.tensor([[3.0, 5.0, 4.0, 1.0, 2.0]]), (3,), (2,), (0,), (1,), False)
    tensor([[5., 4.]])
    """

    @staticmethod
    def forward(x, kernel_size, stride, padding, dilation, ceil_mode):
        options = kernel_size, stride, padding, dilation, ceil_mode
        return taken(x, largest(x, *options), len(kernel_size))

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, *ctx.options = inputs
        save(ctx, x)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        grad_x = put_back(grad_y, largest(x, *ctx.options), x.shape, len(ctx.options[0]))
        return grad_x, *(None for _ in ctx.options)

    @staticmethod
    def tangent(ctx, dx, *_):
        (x,) = ctx.saved_tensors
        return taken(dx, largest(x, *ctx.options), len(ctx.options[0]))


class AdaptiveMaxPool(RoundedOnce):
    r"""y_t = max x_i over the places from ⌊t L / T⌋ to ⌈(t + 1) L / T⌉ − 1.

    Derivation: that of `MaxPool`, with the windows of `AdaptiveAvgPool`: the gradient of a window
    goes to the place of its largest entry.
    Shapes: x (C, L, ...) or (N, C, L, ...), y (..., T, ...), where output_size holds the T.
    Saves x: the places of the largest are found anew.
    Source: `torch.nn.functional.adaptive_max_pool1d`.

    >>> AdaptiveMaxPool.call(torch.tensor([[3.0, 5.0, 4.0, 1.0, 2.0]]), (2,))
    tensor([[5., 4.]])
    """

    @staticmethod
    def forward(x, output_size):
        return taken(x, adaptively_largest(x, output_size), len(output_size))

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, ctx.output_size = inputs
        save(ctx, x)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        index = adaptively_largest(x, ctx.output_size)
        return put_back(grad_y, index, x.shape, len(ctx.output_size)), None  # output_size

    @staticmethod
    def tangent(ctx, dx, _output_size):
        (x,) = ctx.saved_tensors
        return taken(dx, adaptively_largest(x, ctx.output_size), len(ctx.output_size))


def largest(
    x: Tensor, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil_mode: bool
) -> Tensor:
    """The place of the largest in each window, by torch's kernel and so of its choice."""
    pools = torch.nn.functional.max_pool1d, torch.nn.functional.max_pool2d
    pool = (*pools, torch.nn.functional.max_pool3d)[len(kernel_size) - 1]
    options = kernel_size, stride, padding, dilation, ceil_mode
    index: Tensor = pool(x.detach(), *options, return_indices=True)[1]
    return index


def adaptively_largest(x: Tensor, output_size: Sizes) -> Tensor:
    pools = torch.nn.functional.adaptive_max_pool1d, torch.nn.functional.adaptive_max_pool2d
    pool = (*pools, torch.nn.functional.adaptive_max_pool3d)[len(output_size) - 1]
    index: Tensor = pool(x.detach(), output_size, return_indices=True)[1]
    return index


def taken(x: Tensor, index: Tensor, rank: int) -> Tensor:
    """The entries of x that index names, counted through the last dimensions."""
    return Gather.call(in_a_row(x, rank), in_a_row(index, rank), -1).reshape(index.shape)


def put_back(g: Tensor, index: Tensor, shape: Sizes, rank: int) -> Tensor:
    """The transpose of `taken`: g added up at the places that it was taken from."""
    zeros = in_a_row(g.new_zeros(shape), rank)
    return ScatterAdd.call(zeros, in_a_row(index, rank), in_a_row(g, rank), -1).reshape(shape)


def in_a_row(x: Tensor, rank: int) -> Tensor:
    """The last dimensions as one."""
    return x.reshape(*x.shape[:-rank], math.prod(x.shape[-rank:]))
