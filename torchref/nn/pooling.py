"""Pooling as layers."""

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor

from torchref import functional

OF_WINDOWS = "kernel_size", "stride", "padding"
MAX = *OF_WINDOWS, "dilation", "ceil_mode", "return_indices"
AVG = *OF_WINDOWS, "ceil_mode", "count_include_pad"


class Pooling(torch.nn.Module):
    """What pools of any kind and rank do: a `function`, with those of their attributes behind x."""

    function: ClassVar[Callable[..., Any]]
    options: ClassVar[tuple[str, ...]]

    def forward(self, input: Tensor) -> Any:
        return self.function(input, *(getattr(self, name) for name in self.options))


class MaxPool1d(Pooling, torch.nn.MaxPool1d):
    """Of (N, C, L) or (C, L); see `torchref.functional.max_pool1d`."""

    function = staticmethod(functional.max_pool1d)
    options = MAX


class MaxPool2d(Pooling, torch.nn.MaxPool2d):
    """Of (N, C, H, W) or (C, H, W); see `torchref.functional.max_pool2d`."""

    function = staticmethod(functional.max_pool2d)
    options = MAX


class MaxPool3d(Pooling, torch.nn.MaxPool3d):
    """Of (N, C, D, H, W) or (C, D, H, W); see `torchref.functional.max_pool3d`."""

    function = staticmethod(functional.max_pool3d)
    options = MAX


class AvgPool1d(Pooling, torch.nn.AvgPool1d):
    """Of (N, C, L) or (C, L); see `torchref.functional.avg_pool1d`."""

    function = staticmethod(functional.avg_pool1d)
    options = AVG


class AvgPool2d(Pooling, torch.nn.AvgPool2d):
    """Of (N, C, H, W) or (C, H, W); see `torchref.functional.avg_pool2d`."""

    function = staticmethod(functional.avg_pool2d)
    options = (*AVG, "divisor_override")


class AvgPool3d(Pooling, torch.nn.AvgPool3d):
    """Of (N, C, D, H, W) or (C, D, H, W); see `torchref.functional.avg_pool3d`."""

    function = staticmethod(functional.avg_pool3d)
    options = (*AVG, "divisor_override")


class AdaptiveMaxPool1d(Pooling, torch.nn.AdaptiveMaxPool1d):
    """See `torchref.functional.adaptive_max_pool1d`."""

    function = staticmethod(functional.adaptive_max_pool1d)
    options = ("output_size", "return_indices")


class AdaptiveMaxPool2d(Pooling, torch.nn.AdaptiveMaxPool2d):
    """See `torchref.functional.adaptive_max_pool2d`."""

    function = staticmethod(functional.adaptive_max_pool2d)
    options = ("output_size", "return_indices")


class AdaptiveMaxPool3d(Pooling, torch.nn.AdaptiveMaxPool3d):
    """See `torchref.functional.adaptive_max_pool3d`."""

    function = staticmethod(functional.adaptive_max_pool3d)
    options = ("output_size", "return_indices")


class AdaptiveAvgPool1d(Pooling, torch.nn.AdaptiveAvgPool1d):
    """See `torchref.functional.adaptive_avg_pool1d`."""

    function = staticmethod(functional.adaptive_avg_pool1d)
    options = ("output_size",)


class AdaptiveAvgPool2d(Pooling, torch.nn.AdaptiveAvgPool2d):
    """See `torchref.functional.adaptive_avg_pool2d`."""

    function = staticmethod(functional.adaptive_avg_pool2d)
    options = ("output_size",)


class AdaptiveAvgPool3d(Pooling, torch.nn.AdaptiveAvgPool3d):
    """See `torchref.functional.adaptive_avg_pool3d`."""

    function = staticmethod(functional.adaptive_avg_pool3d)
    options = ("output_size",)
