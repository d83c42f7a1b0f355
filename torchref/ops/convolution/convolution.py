"""Convolutions of any rank, and the transposed ones: each is the other's gradient for its input.

Index letters: n example, c input channel, o output channel, and for each further dimension
i a place of x, t a place of y, k a place of the weight. In a strided and dilated convolution

    i = s t + d k − p,  with stride s, dilation d and p zeros of padding on both sides,

says which entry of x meets which entry of the weight in which entry of y. All maps here are sums
over these triples (i, t, k): over i and k, over t and k, or over i and t.
"""

import torch
from torch import Tensor

from torchref.ops.op import Op, save

Sizes = tuple[int, ...]


def save_x_and_weight(ctx, inputs, output):  # noqa: ARG001
    x, weight, _, *ctx.options = inputs
    save(ctx, x, weight)


def bias_gradient(grad_y: Tensor) -> Tensor:
    """∂L/∂b_o = Σ ∂L/∂y_not over all n and t."""
    return grad_y.sum((0, *range(2, grad_y.dim())))


class Convolution(Op):
    r"""y_not = Σ_ck x_nci W_ock + b_o with i = s t + d k − p, and x = 0 outside of its places.

    Derivation: each x_nci enters y_not once for each k that fits, and so does each W_ock, so with
    g = ∂L/∂y
        ∂L/∂x_nci = Σ_otk g_not W_ock,  ∂L/∂W_ock = Σ_nt g_not x_nci,  ∂L/∂b_o = Σ_nt g_not,
    each sum over what i = s t + d k − p leaves free. The first is a `TransposedConv` of g with the
    same weight. As several i have one t where s > 1, the last (L + 2p − d (K − 1) − 1) mod s
    places of x may have been met by no k: its output padding. The second is for the weight what y
    was for x, see `weight_gradient`.
    In groups the channels are cut into as many parts, of which each is convolved by itself.
    Shapes: x (N, C, L, ...), weight (O, C / groups, K, ...), bias (O) or None; y (N, O, T, ...)
    with T = ⌊(L + 2p − d (K − 1) − 1) / s⌋ + 1. The options are tuples with one number a
    dimension, but for groups.
    Saves x and weight: each is the other's derivative.
    Source: Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning".

    >>> x, weight = torch.tensor([[[1.0, 2.0, 4.0, 8.0]]]), torch.tensor([[[1.0, -1.0]]])
    >>> Convolution.call(x, weight, None, (1,), (0,), (1,), 1)
    tensor([[[-1., -2., -4.]]])
    """

    @staticmethod
    def forward(x, weight, bias, stride, padding, dilation, groups):
        no_output_padding = (0,) * len(stride)
        return torch.convolution(
            x, weight, bias, stride, padding, dilation, False, no_output_padding, groups
        )

    setup_context = staticmethod(save_x_and_weight)

    @staticmethod
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        need_x, need_weight, need_bias, *options = ctx.needs_input_grad
        grad_x = grad_weight = None
        if need_x:
            unmet = left_over(x.shape[2:], weight.shape[2:], *ctx.options[:3])
            grad_x = TransposedConv.call(grad_y, weight, None, *ctx.options, unmet)
        if need_weight:
            grad_weight = weight_gradient(x, grad_y, weight.shape[2:], *ctx.options)
        grad_bias = bias_gradient(grad_y) if need_bias else None
        return grad_x, grad_weight, grad_bias, *(None for _ in options)

    @staticmethod
    def tangent(ctx, dx, dweight, dbias, *_):
        x, weight = ctx.saved_tensors
        of_x = Convolution.call(dx, weight, dbias, *ctx.options)
        return of_x + Convolution.call(x, dweight, None, *ctx.options)


class TransposedConv(Op):
    r"""y_noi = Σ_ctk x_nct W_cok + b_o over i = s t + d k − p: each x is spread over the weight.

    Derivation: the sum is that of ∂L/∂x in `Convolution`, with x in the place of ∂L/∂y. The
    transpose of a transpose is the map itself, so with g = ∂L/∂y
        ∂L/∂x_nct = Σ_ok g_noi W_cok: the `Convolution` of g,
        ∂L/∂W_cok = Σ_ni g_noi x_nct: `weight_gradient` with g and x exchanged.
    An output padding of s or more leaves room for more t than x has; they are dropped.
    Shapes: x (N, C, T, ...), weight (C, O / groups, K, ...), bias (O) or None; y (N, O, L, ...)
    with L = s (T − 1) + d (K − 1) + 1 − 2p + output padding.
    Saves x and weight: each is the other's derivative.
    Source: Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning".

    >>> x, weight = torch.tensor([[[1.0, 10.0]]]), torch.tensor([[[1.0, 2.0, 3.0]]])
    >>> TransposedConv.call(x, weight, None, (2,), (0,), (1,), 1, (0,))
    tensor([[[ 1.,  2., 13., 20., 30.]]])
    """

    @staticmethod
    def forward(x, weight, bias, stride, padding, dilation, groups, output_padding):
        return torch.convolution(
            x, weight, bias, stride, padding, dilation, True, output_padding, groups
        )

    setup_context = staticmethod(save_x_and_weight)

    @staticmethod
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        need_x, need_weight, need_bias, *options = ctx.needs_input_grad
        *shared, _ = ctx.options
        grad_x = grad_weight = None
        if need_x:
            grad_x = first(x.shape[2:], Convolution.call(grad_y, weight, None, *shared))
        if need_weight:
            grad_weight = weight_gradient(grad_y, x, weight.shape[2:], *shared)
        grad_bias = bias_gradient(grad_y) if need_bias else None
        return grad_x, grad_weight, grad_bias, *(None for _ in options)

    @staticmethod
    def tangent(ctx, dx, dweight, dbias, *_):
        x, weight = ctx.saved_tensors
        of_x = TransposedConv.call(dx, weight, dbias, *ctx.options)
        return of_x + TransposedConv.call(x, dweight, None, *ctx.options)


def weight_gradient(
    x: Tensor,
    grad_y: Tensor,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Tensor:
    """∂L/∂W_ock = Σ_nt g_not x_nci, which is a convolution again: of x, by g.

    i = d k + s t − p is the relation of before with t and k exchanged, and so stride and dilation.
    Summed over are examples, so these are its channels, and the channels of x its examples. Where
    t left places of x over, there is room for further k, which no weight has: they are dropped.
    """
    examples, channels, *lengths = x.shape
    of_group = channels // groups
    if examples == 0:  # a convolution of no channels torch does not have
        return grad_y.new_zeros(grad_y.shape[1], of_group, *kernel)
    turned = x.reshape(examples, groups, of_group, *lengths).transpose(0, 2)
    by_channel = turned.reshape(of_group, groups * examples, *lengths)
    of_channel = Convolution.call(
        by_channel, grad_y.transpose(0, 1), None, dilation, padding, stride, groups
    )
    return first(kernel, of_channel).transpose(0, 1)


def left_over(
    of_x: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> tuple[int, ...]:
    """How many places at the end of x the last step of the stride does not reach."""
    each = zip(of_x, kernel, stride, padding, dilation, strict=True)
    return tuple((length + 2 * p - d * (k - 1) - 1) % s for length, k, s, p, d in each)


def first(sizes: Sizes, x: Tensor) -> Tensor:
    """As many places as `sizes` says of each dimension behind the channels."""
    for dim, size in enumerate(sizes, start=2):
        if x.shape[dim] > size:
            x = x.narrow(dim, 0, size)
    return x
