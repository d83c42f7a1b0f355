"""Affine layers, with the bias beside the weight matrix or inside it, and the bilinear one."""

import torch
from torch import Tensor
from torch.nn import Module, Parameter

from torchref import functional


class Linear(torch.nn.Linear):
    """y = x Wᵀ + b; see `torchref.functional.linear`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.linear(input, self.weight, self.bias)


class Bilinear(torch.nn.Bilinear):
    """y_o = x₁ W_o x₂ᵀ + b_o; see `torchref.functional.bilinear`."""

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return functional.bilinear(input1, input2, self.weight, self.bias)


class HomogeneousLinear(Module):
    """y = [x; 1] Wᵀ, the bias being the last column of W (lecture 004).

    See `torchref.functional.homogeneous_linear`.

    >>> layer = HomogeneousLinear(2, 3)
    >>> layer.weight.shape
    torch.Size([3, 3])
    """

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        start = torch.nn.Linear(in_features, out_features)
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(torch.column_stack((start.weight, start.bias)).detach())

    def forward(self, input: Tensor) -> Tensor:
        return functional.homogeneous_linear(input, self.weight)

    def unfolded(self) -> Linear:
        """The same layer with weight and bias apart."""
        apart = Linear(self.in_features, self.out_features).to(self.weight)
        with torch.no_grad():
            apart.weight.copy_(self.weight[:, :-1])
            apart.bias.copy_(self.weight[:, -1])
        return apart

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}"
