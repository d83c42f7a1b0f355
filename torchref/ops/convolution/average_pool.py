"""Average pooling: the mean over windows, which slide or divide what there is.

A window of several dimensions is all combinations of their windows: the sum over it is taken one
dimension after the other, and so is the transpose.
"""

from collections.abc import Sequence
from functools import reduce

import torch
from torch import Tensor

from torchref.ops.convolution.windows import places, shared_out, steps, summed
from torchref.ops.op import RoundedOnce, save

Windows = tuple[list[Tensor], Tensor | int]


class AvgPool(RoundedOnce):
    r"""y_t = Σ x_i / d_t, over the places i of window t, with the number d_t of them.

    Window t takes k places from s t − p on. Where it reaches into the padding, p zeros on both
    sides, d_t counts these too if count_include_pad, and beyond the padding (ceil_mode) nothing.
    divisor_override is d_t for all t.

    Derivation: ∂y_t/∂x_i = 1 / d_t where window t takes i, so with g = ∂L/∂y

        ∂L/∂x_i = Σ_t [t takes i] g_t / d_t:

    to each place what is due to it of all windows that took it. Where windows leave gaps it is 0.
    Shapes: x (..., L, ...), y (..., T, ...), with as many dimensions in the end as the options
    have numbers; T = ⌊(L + 2p − k) / s⌋ + 1, in ceil_mode rounded up, but that no window may begin
    in the padding at the end.
    Saves nothing but the shape of x: the map is linear.
    Source: LeCun et al. 1998, "Gradient-Based Learning Applied to Document Recognition".

    >>> x = torch.tensor([[1.0, 2.0, 4.0, 8.0, 16.0]])
    >>> AvgPool.call(x, (2,), (2,), (0,), True, True, None)
    tensor([[ 1.5000,  6.0000, 16.0000]])
    """

    @staticmethod
    def forward(x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
        lengths = x.shape[-len(kernel_size) :]
        options = kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
        windows, divisor = sliding(x.device, lengths, *options)
        return summed(x, windows) / divisor

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, *ctx.options = inputs
        ctx.lengths = x.shape[-len(ctx.options[0]) :]
        save(ctx)

    @staticmethod
    def backward(ctx, grad_y):
        windows, divisor = sliding(grad_y.device, ctx.lengths, *ctx.options)
        grad_x = shared_out(grad_y / divisor, windows, ctx.lengths)
        return grad_x, *(None for _ in ctx.options)

    @staticmethod
    def tangent(ctx, dx, *_):
        return AvgPool.call(dx, *ctx.options)


class AdaptiveAvgPool(RoundedOnce):
    r"""y_t = Σ x_i / d_t, over the places from ⌊t L / T⌋ to ⌈(t + 1) L / T⌉ − 1, of which d_t are.

    Derivation: that of `AvgPool`, with other windows: ∂L/∂x_i = Σ_t [t takes i] ∂L/∂y_t / d_t.
    Where T does not divide L, windows share a place or differ in size.
    Shapes: x (..., L, ...), y (..., T, ...), where output_size holds the T.
    Saves nothing but the shape of x: the map is linear.
    Source: `torch.nn.functional.adaptive_avg_pool1d`.

    >>> AdaptiveAvgPool.call(torch.tensor([[1.0, 2.0, 4.0, 8.0, 16.0]]), (2,))
    tensor([[2.3333, 9.3333]])
    """

    @staticmethod
    def forward(x, output_size):
        windows, divisor = dividing(x.device, x.shape[-len(output_size) :], output_size)
        return summed(x, windows) / divisor

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, ctx.output_size = inputs
        ctx.lengths = x.shape[-len(ctx.output_size) :]
        save(ctx)

    @staticmethod
    def backward(ctx, grad_y):
        windows, divisor = dividing(grad_y.device, ctx.lengths, ctx.output_size)
        return shared_out(grad_y / divisor, windows, ctx.lengths), None  # output_size

    @staticmethod
    def tangent(ctx, dx, _output_size):
        return AdaptiveAvgPool.call(dx, ctx.output_size)


def sliding(
    device: torch.device,
    lengths: Sequence[int],
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Windows:
    """The windows of `AvgPool`, and d_t."""
    windows, sizes = [], []
    for length, kernel, s, p in zip(lengths, kernel_size, stride, padding, strict=True):
        start = steps(how_many(length, kernel, s, p, ceil_mode), s, p, device)
        windows.append(places(start, length, kernel, 1, length))
        first, last = (start, length + p) if count_include_pad else (start.clamp_min(0), length)
        sizes.append((start + kernel).clamp_max(last) - first)
    return windows, product(sizes) if divisor_override is None else divisor_override


def how_many(length: int, kernel: int, stride: int, padding: int, ceil_mode: bool) -> int:
    """The T of `AvgPool`."""
    steps_left = length + 2 * padding - kernel
    if not ceil_mode:
        return steps_left // stride + 1
    windows = -(-steps_left // stride) + 1
    return windows - 1 if (windows - 1) * stride >= length + padding else windows


def dividing(device: torch.device, lengths: Sequence[int], output_size: Sequence[int]) -> Windows:
    """The windows of `AdaptiveAvgPool`, and d_t."""
    windows, sizes = [], []
    for length, wanted in zip(lengths, output_size, strict=True):
        t = torch.arange(wanted, device=device)
        start, end = t * length // wanted, -(-(t + 1) * length // wanted)
        widest = -(-length // wanted) + 1
        windows.append(places(start, end.unsqueeze(1), widest, 1, length))
        sizes.append(end - start)
    return windows, product(sizes)


def product(sizes: Sequence[Tensor]) -> Tensor:
    """How many places a window of several dimensions takes."""
    following = range(len(sizes) - 1, -1, -1)
    each = (size.reshape(-1, *(1,) * more) for size, more in zip(sizes, following, strict=True))
    return reduce(torch.mul, each)
