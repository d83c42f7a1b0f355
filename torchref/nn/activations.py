"""Activations as layers."""

import torch
from torch import Tensor

from torchref import functional


class Sigmoid(torch.nn.Sigmoid):
    """y = 1 / (1 + e⁻ˣ); see `torchref.functional.sigmoid`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.sigmoid(input)


class Tanh(torch.nn.Tanh):
    """y = tanh x; see `torchref.functional.tanh`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.tanh(input)


class ReLU(torch.nn.ReLU):
    """y = max(x, 0); see `torchref.functional.relu`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.relu(input, self.inplace)
