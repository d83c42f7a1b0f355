"""Pooling under torch's signatures: it computes in float32 for lower dtypes, and rounds once."""

from collections.abc import Sequence

from torch import Tensor

from torchref.functional.admission import (
    autocast_off,
    autocasts,
    require,
    require_real_tensors,
    shape,
)
from torchref.functional.convolution.ranks import in_each_rank
from torchref.functional.convolution.sizes import Sizes, as_arrived, batched, each
from torchref.ops import AdaptiveAvgPool, AdaptiveMaxPool, AvgPool, MaxPool, Op
from torchref.ops.convolution.average_pool import how_many
from torchref.ops.convolution.max_pool import adaptively_largest, largest
from torchref.ops.op import widened

WithIndices = Tensor | tuple[Tensor, Tensor]
Wanted = int | Sequence[int | None] | None  # None alone is refused


@in_each_rank
def max_pool(
    rank: int,
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> WithIndices:
    """The largest of each window, as `torch.nn.functional.max_pool1d`; see `ops.MaxPool`.

    Shapes: input (N, C, L) or (C, L). stride is kernel_size by default, padding is −∞ and at most
    half of a window. With return_indices also the places of the largest, integers, of more
    dimensions counted row by row.

    >>> max_pool1d(torch.tensor([[3.0, 5.0, 4.0, 1.0]]), 2, return_indices=True)
    (tensor([[5., 4.]]), tensor([[1, 2]]))
    """
    name = f"max_pool{rank}d"
    require_real_tensors(name, input=input)
    spacing = each(name, "dilation", dilation, rank, least=1)
    kernel, steps, front = windows(
        name, rank, input, kernel_size, stride, padding, spacing, ceil_mode
    )
    lengths = input.shape[-rank:]
    require(
        all(p == 0 or d <= size for size, p, d in zip(lengths, front, spacing, strict=True)),
        f"{name}: each window must take an entry of input",
        f"dilation is {spacing} and padding {front} for an input of shape {shape(input)}",
        "Of a window of padding alone the largest is nowhere.",
    )
    y = pooled(MaxPool, rank, input, kernel, steps, front, spacing, ceil_mode)
    if not return_indices:
        return y
    index = largest(batched(name, input, rank), kernel, steps, front, spacing, ceil_mode)
    return y, as_arrived(index, input)


max_pool1d, max_pool2d, max_pool3d = max_pool


def avg_pool1d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window, as `torch.nn.functional.avg_pool1d`; see `ops.AvgPool`.

    Shapes: input (N, C, L) or (C, L). stride is kernel_size by default, padding is zeros, which
    count as entries if count_include_pad, and at most half of a window. Of more dimensions
    divisor_override divides every sum.

    >>> avg_pool1d(torch.tensor([[3.0, 5.0, 4.0, 1.0]]), 2)
    tensor([[4.0000, 2.5000]])
    """
    with_divisor, *_ = avg_pool  # torch's of one dimension takes none
    return with_divisor(input, kernel_size, stride, padding, ceil_mode, count_include_pad)


@in_each_rank
def avg_pool(
    rank: int,
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    name = f"avg_pool{rank}d"
    require_real_tensors(name, input=input)
    kernel, steps, front = windows(
        name, rank, input, kernel_size, stride, padding, (1,) * rank, ceil_mode
    )
    require(
        divisor_override != 0,
        f"{name}: divisor_override must not be 0",
        "0 arrived",
        "None divides by the number of entries, 1 leaves the sum.",
    )
    options = kernel, steps, front, ceil_mode, count_include_pad, divisor_override
    return pooled(AvgPool, rank, input, *options)


_, avg_pool2d, avg_pool3d = avg_pool


@in_each_rank
def adaptive_max_pool(
    rank: int, input: Tensor, output_size: Wanted, return_indices: bool = False
) -> WithIndices:
    """The largest of each of output_size parts, as torch's; see `ops.AdaptiveMaxPool`.

    Of more dimensions None leaves a size as it is.

    >>> adaptive_max_pool1d(torch.tensor([[3.0, 5.0, 4.0, 1.0, 2.0]]), 2)
    tensor([[5., 4.]])
    """
    name = f"adaptive_max_pool{rank}d"
    sizes = wanted(name, rank, input, output_size)
    y = pooled(AdaptiveMaxPool, rank, input, sizes)
    if not return_indices:
        return y
    return y, as_arrived(adaptively_largest(batched(name, input, rank), sizes), input)


adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d = adaptive_max_pool


@in_each_rank
def adaptive_avg_pool(rank: int, input: Tensor, output_size: Wanted) -> Tensor:
    """The mean of each of output_size parts, as torch's; see `ops.AdaptiveAvgPool`.

    Of more dimensions None leaves a size as it is.

    >>> adaptive_avg_pool1d(torch.tensor([[1.0, 2.0, 4.0, 8.0, 16.0]]), 2)
    tensor([[2.3333, 9.3333]])
    """
    sizes = wanted(f"adaptive_avg_pool{rank}d", rank, input, output_size)
    return pooled(AdaptiveAvgPool, rank, input, sizes)


adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d = adaptive_avg_pool


def pooled(op: type[Op], rank: int, input: Tensor, *options: object) -> Tensor:
    """In the dtype that arrived; of three dimensions, under autocast of the CPU, in float32."""
    widens = rank == 3 and not input.is_cuda and autocasts(input)
    with autocast_off(input):
        x = widened(input) if widens else input
        return as_arrived(op.call(batched(op.__name__, x, rank), *options), input)


def windows(
    name: str,
    rank: int,
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    dilation: tuple[int, ...],
    ceil_mode: bool,
) -> tuple[tuple[int, ...], ...]:
    kernel = each(name, "kernel_size", kernel_size, rank, least=1)
    is_default = stride is None or (isinstance(stride, Sequence) and not stride)
    steps = each(name, "stride", kernel if is_default else stride, rank, least=1)
    front = each(name, "padding", padding, rank, least=0)
    lengths = batched(name, input, rank).shape[2:]
    reach = [d * (size - 1) + 1 for d, size in zip(dilation, kernel, strict=True)]
    require(
        all(2 * p <= far for p, far in zip(front, reach, strict=True)),
        f"{name}: padding must be at most half of a window",
        f"it is {front} for windows of {tuple(reach)} places",
        "A window is dilation · (kernel_size − 1) + 1 places long.",
    )
    require(
        min(map(how_many, lengths, reach, steps, front, [ceil_mode] * rank)) > 0,
        f"{name}: a window must not be longer than the padded input",
        f"windows have {tuple(reach)} places and input has shape {shape(input)}",
        "The largest or the mean of all there is are the adaptive pools of size 1.",
    )
    return kernel, steps, front


def wanted(name: str, rank: int, input: Tensor, output_size: Wanted) -> tuple[int, ...]:
    require_real_tensors(name, input=input)
    lengths = batched(name, input, rank).shape[2:]
    sizes: object = output_size
    if rank > 1 and isinstance(output_size, Sequence) and len(output_size) == rank:
        pairs = zip(output_size, lengths, strict=True)
        sizes = tuple(length if size is None else size for size, length in pairs)
    return each(name, "output_size", sizes, rank, least=1)
