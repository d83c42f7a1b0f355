"""Convolutions, their transposes, and pooling: sums and maxima over windows that slide."""

from torchref.ops.convolution.average_pool import AdaptiveAvgPool, AvgPool
from torchref.ops.convolution.convolution import Convolution, TransposedConv
from torchref.ops.convolution.max_pool import AdaptiveMaxPool, MaxPool
from torchref.ops.convolution.steps import convolution_steps

__all__ = [
    "AdaptiveAvgPool",
    "AdaptiveMaxPool",
    "AvgPool",
    "Convolution",
    "MaxPool",
    "TransposedConv",
    "convolution_steps",
]
