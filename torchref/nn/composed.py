"""What torch has no layer or function for, composed of its own operations: the way back.

`torchref.nn.by_torch` puts these in the place of the handwritten ones.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from torchref.nn import activations, linear


def homogeneous_linear(input: Tensor, weight: Tensor) -> Tensor:
    return F.linear(input, weight[..., :-1], weight[..., -1])


def swiglu(input: Tensor, dim: int = -1) -> Tensor:
    value, gate = input.chunk(2, dim)
    return value * F.silu(gate)


def geglu(input: Tensor, dim: int = -1) -> Tensor:
    value, gate = input.chunk(2, dim)
    return value * F.gelu(gate)


def rotary_embedding(
    input: Tensor,
    cos: Tensor,
    sin: Tensor,
    positions: Tensor | None = None,
    interleaved: bool = False,
) -> Tensor:
    rows = slice(input.shape[-2]) if positions is None else positions
    cos, sin = cos[rows], sin[rows]
    turned, rest = input.split((2 * cos.shape[-1], input.shape[-1] - 2 * cos.shape[-1]), -1)
    a, b = turned.unflatten(-1, (-1, 2)).unbind(-1) if interleaved else turned.chunk(2, -1)
    pairs = (a * cos - b * sin, a * sin + b * cos)
    joined = torch.stack(pairs, -1).flatten(-2) if interleaved else torch.cat(pairs, -1)
    return torch.cat((joined, rest), -1)


class HomogeneousLinear(linear.HomogeneousLinear):
    def forward(self, input: Tensor) -> Tensor:
        return homogeneous_linear(input, self.weight)


class SwiGLU(activations.SwiGLU):
    def forward(self, input: Tensor) -> Tensor:
        return swiglu(input, self.dim)


class GEGLU(activations.GEGLU):
    def forward(self, input: Tensor) -> Tensor:
        return geglu(input, self.dim)
