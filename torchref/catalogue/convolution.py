"""Convolutions, the transposed ones, and pooling."""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from torchref.catalogue.entry import Entry, Inputs, normal
from torchref.ops import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool,
    Convolution,
    MaxPool,
    TransposedConv,
)

Sizes = tuple[int, ...]
CONV = (F.conv1d, F.conv2d, F.conv3d)
CONV_TRANSPOSE = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)


def convolution_twin(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Tensor:
    function = CONV[len(stride) - 1]
    return function(x, weight, bias, stride, padding, dilation, groups)


def _convolution_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 2, 4, 7), normal(g, 5, 4, 3), normal(g, 5), (1,), (0,), (1,), 1),
        (normal(g, 3, 4, 10), normal(g, 6, 2, 3), None, (2,), (1,), (2,), 2),
        (normal(g, 2, 3, 7, 5), normal(g, 5, 3, 4, 2), normal(g, 5), (2, 1), (1, 0), (1, 2), 1),
        (normal(g, 3, 2, 5, 4), normal(g, 4, 1, 3, 2), normal(g, 4), (1, 2), (0, 1), (1, 1), 2),
    )


def _convolution_tripping(g: Generator) -> tuple[Inputs, ...]:
    plain = (1,), (0,), (1,), 1
    return (
        (normal(g, 0, 4, 5), normal(g, 3, 4, 2), normal(g, 3), *plain),
        (normal(g, 1, 1, 1), normal(g, 1, 1, 1), normal(g, 1), *plain),
        (normal(g, 2, 5, 4).mT, normal(g, 4, 3, 6).movedim(-1, 0), normal(g, 12)[::2], *plain),
        (normal(g, 1, 4, 1).expand(2, 4, 5), normal(g, 3, 4, 2), normal(g, 1).expand(3), *plain),
        (normal(g, 2, 1, 9), normal(g, 3, 1, 2), None, (4,), (0,), (3,), 1),  # places left over
        (normal(g, 2, 1, 3), normal(g, 4, 1, 2), normal(g, 4), (1,), (3,), (1,), 1),  # only zeros
        (1e150 * normal(g, 2, 3, 5), normal(g, 4, 3, 2), 1e-150 * normal(g, 4), *plain),
    )


def transposed_conv_twin(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
    output_padding: Sizes,
) -> Tensor:
    function = CONV_TRANSPOSE[len(stride) - 1]
    return function(x, weight, bias, stride, padding, output_padding, groups, dilation)


def _transposed_conv_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 2, 4, 5), normal(g, 4, 3, 2), normal(g, 3), (1,), (0,), (1,), 1, (0,)),
        (normal(g, 3, 4, 5), normal(g, 4, 1, 3), None, (2,), (1,), (2,), 2, (1,)),
        (
            *(normal(g, 1, 3, 4, 2), normal(g, 3, 5, 2, 1), normal(g, 5)),
            *((2, 1), (1, 0), (1, 2), 1, (0, 0)),
        ),
        (normal(g, 2, 3, 4), normal(g, 3, 5, 2), normal(g, 5), (1,), (0,), (3,), 1, (2,)),
    )


def _transposed_conv_tripping(g: Generator) -> tuple[Inputs, ...]:
    plain = (1,), (0,), (1,), 1, (0,)
    return (
        (normal(g, 0, 4, 5), normal(g, 4, 3, 2), normal(g, 3), *plain),
        (normal(g, 1, 1, 1), normal(g, 1, 1, 1), normal(g, 1), *plain),
        (normal(g, 2, 5, 4).mT, normal(g, 3, 6, 4).movedim(-1, 0), normal(g, 6)[::2], *plain),
        (normal(g, 1, 4, 1).expand(2, 4, 5), normal(g, 4, 3, 2), normal(g, 1).expand(3), *plain),
        (normal(g, 2, 1, 3), normal(g, 1, 3, 2), None, (4,), (1,), (1,), 1, (3,)),  # holes in y
        (1e150 * normal(g, 2, 3, 5), normal(g, 3, 4, 2), 1e-150 * normal(g, 4), *plain),
    )


def avg_pool_twin(
    x: Tensor,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Tensor:
    options = kernel_size, stride, padding, ceil_mode, count_include_pad
    if len(kernel_size) == 1:  # torch's has no divisor_override there
        return F.avg_pool1d(x, *options)
    return (F.avg_pool2d, F.avg_pool3d)[len(kernel_size) - 2](x, *options, divisor_override)


def _avg_pool_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 2, 3, 8), (3,), (2,), (1,), False, True, None),
        (normal(g, 3, 8), (3,), (2,), (1,), True, False, None),
        (normal(g, 2, 3, 5, 4), (3, 2), (1, 2), (1, 0), False, False, None),
        (normal(g, 3, 5, 6), (2, 3), (2, 2), (0, 1), True, True, 5),
    )


def _avg_pool_tripping(g: Generator) -> tuple[Inputs, ...]:
    plain = (1,), (0,), False, True, None
    return (
        (normal(g, 0, 3, 5), (2,), *plain),
        (normal(g, 1, 1, 1), (1,), *plain),
        (normal(g, 2, 7, 3).mT, (2,), *plain),
        (normal(g, 2, 1, 1).expand(2, 3, 5), (2,), *plain),
        (normal(g, 2, 7), (2,), (3,), (0,), False, True, None),  # gaps, and the last in none
        (normal(g, 2, 3), (4,), (2,), (2,), True, True, None),  # windows reach out on both sides
        (1e150 * normal(g, 2, 5), (3,), *plain),
    )


def max_pool_twin(
    x: Tensor,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool,
) -> Tensor:
    function = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[len(kernel_size) - 1]
    y: Tensor = function(x, kernel_size, stride, padding, dilation, ceil_mode)
    return y


def _max_pool_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 2, 3, 8), (3,), (2,), (1,), (1,), False),
        (normal(g, 3, 8), (3,), (2,), (0,), (2,), True),
        (normal(g, 2, 3, 5, 4), (3, 2), (1, 2), (1, 0), (1, 2), False),
    )


def _max_pool_tripping(g: Generator) -> tuple[Inputs, ...]:
    plain = (1,), (0,), (1,), False
    ties = torch.tensor([[2.0, 2.0, -1.0, -1.0, 2.0, 2.0, -0.0, 0.0]], dtype=torch.float64)
    return (
        (ties, (3,), *plain),
        (normal(g, 1, 8).sign().expand(2, 8), (2,), (2,), (1,), (1,), True),
        (normal(g, 0, 3, 5), (2,), *plain),
        (normal(g, 1, 1, 1), (1,), *plain),
        (normal(g, 2, 7, 3).mT, (2,), *plain),
        (normal(g, 2, 7), (2,), (3,), (0,), (1,), False),  # gaps, and the last in none
        (1e150 * normal(g, 2, 5), (3,), *plain),
    )


def adaptive_avg_pool_twin(x: Tensor, output_size: Sizes) -> Tensor:
    functions = F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d
    return functions[len(output_size) - 1](x, output_size)  # type: ignore[arg-type]  # a tuple too


def adaptive_max_pool_twin(x: Tensor, output_size: Sizes) -> Tensor:
    functions = F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d
    y: Tensor = functions[len(output_size) - 1](x, output_size)
    return y


def _adaptive_samples(g: Generator) -> tuple[Inputs, ...]:
    return ((normal(g, 2, 3, 7), (3,)), (normal(g, 3, 4), (6,)), (normal(g, 2, 3, 5, 4), (2, 3)))


def _adaptive_tripping(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 0, 3, 5), (2,)),
        (normal(g, 1, 1, 1), (1,)),
        (normal(g, 1, 1, 1), (4,)),
        (normal(g, 2, 7, 3).mT, (3,)),
        (normal(g, 2, 1, 1).expand(2, 3, 5), (2,)),
        (1e150 * normal(g, 2, 5), (3,)),
    )


ENTRIES = (
    Entry(Convolution, convolution_twin, _convolution_samples, _convolution_tripping),
    Entry(
        TransposedConv, transposed_conv_twin, _transposed_conv_samples, _transposed_conv_tripping
    ),
    Entry(AvgPool, avg_pool_twin, _avg_pool_samples, _avg_pool_tripping),
    Entry(MaxPool, max_pool_twin, _max_pool_samples, _max_pool_tripping),
    Entry(AdaptiveAvgPool, adaptive_avg_pool_twin, _adaptive_samples, _adaptive_tripping),
    Entry(AdaptiveMaxPool, adaptive_max_pool_twin, _adaptive_samples, _adaptive_tripping),
)
