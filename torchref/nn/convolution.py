"""Convolutions and pooling as layers."""

import torch
from torch import Tensor
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from torchref import functional
from torchref.functional.convolution.convolution import padded_with_itself


class Convolving(_ConvNd):
    """What convolutions of any rank do; torch's `forward` hands weight and bias on."""

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            amounts = self._reversed_padding_repeated_twice
            input, padding = padded_with_itself(input, amounts, self.padding_mode), (0,)
        convolve = (functional.conv1d, functional.conv2d, functional.conv3d)
        options = self.stride, padding, self.dilation, self.groups
        return convolve[len(self.kernel_size) - 1](input, weight, bias, *options)


class Conv1d(Convolving, torch.nn.Conv1d):
    """Of (N, C, L) or (C, L); see `torchref.functional.conv1d`."""


class Conv2d(Convolving, torch.nn.Conv2d):
    """Of (N, C, H, W) or (C, H, W); see `torchref.functional.conv2d`."""


class Conv3d(Convolving, torch.nn.Conv3d):
    """Of (N, C, D, H, W) or (C, D, H, W); see `torchref.functional.conv3d`."""


class Transposed(_ConvTransposeNd):
    """What transposed convolutions of any rank do; output_size chooses the output padding."""

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        rank = len(self.kernel_size)
        sizes = self.stride, self.padding, self.kernel_size
        more = self._output_padding(input, output_size, *sizes, rank, self.dilation)  # type: ignore[arg-type]  # tuples do as well as lists
        spread = (
            functional.conv_transpose1d,
            functional.conv_transpose2d,
            functional.conv_transpose3d,
        )
        options = self.stride, self.padding, more, self.groups, self.dilation
        return spread[rank - 1](input, self.weight, self.bias, *options)  # type: ignore[arg-type]  # its padding is no string


class ConvTranspose1d(Transposed, torch.nn.ConvTranspose1d):
    """Of (N, C, T) or (C, T); see `torchref.functional.conv_transpose1d`."""


class ConvTranspose2d(Transposed, torch.nn.ConvTranspose2d):
    """Of (N, C, H, W) or (C, H, W); see `torchref.functional.conv_transpose2d`."""


class ConvTranspose3d(Transposed, torch.nn.ConvTranspose3d):
    """Of (N, C, D, H, W) or (C, D, H, W); see `torchref.functional.conv_transpose3d`."""
