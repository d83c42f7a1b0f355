"""Activations as layers."""

import torch
from torch import Tensor
from torch.nn import Module

from torchref import functional
from torchref.functional.admission import require, shape


class Sigmoid(torch.nn.Sigmoid):
    """y = 1 / (1 + e⁻ˣ); see `torchref.functional.sigmoid`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.sigmoid(input)


class Tanh(torch.nn.Tanh):
    """y = tanh x; see `torchref.functional.tanh`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.tanh(input)


class Softplus(torch.nn.Softplus):
    """y = ln(1 + e^βx) / β; see `torchref.functional.softplus`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.softplus(input, self.beta, self.threshold)


class LogSigmoid(torch.nn.LogSigmoid):
    """y = ln σ(x); see `torchref.functional.logsigmoid`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.logsigmoid(input)


class SiLU(torch.nn.SiLU):
    """y = x σ(x); see `torchref.functional.silu`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.silu(input, self.inplace)


class Mish(torch.nn.Mish):
    """y = x tanh(softplus x); see `torchref.functional.mish`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.mish(input, self.inplace)


class GELU(torch.nn.GELU):
    """y = x Φ(x); see `torchref.functional.gelu`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.gelu(input, self.approximate)


class ReLU(torch.nn.ReLU):
    """y = max(x, 0); see `torchref.functional.relu`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.relu(input, self.inplace)


class LeakyReLU(torch.nn.LeakyReLU):
    """y = x or negative_slope · x; see `torchref.functional.leaky_relu`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.leaky_relu(input, self.negative_slope, self.inplace)


class PReLU(torch.nn.PReLU):
    """y = x or weight · x, with a weight that is learnt; see `torchref.functional.prelu`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.prelu(input, self.weight)


class ELU(torch.nn.ELU):
    """y = x or α (eˣ − 1); see `torchref.functional.elu`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.elu(input, self.alpha, self.inplace)


class SELU(torch.nn.SELU):
    """y = λ ELU(x); see `torchref.functional.selu`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.selu(input, self.inplace)


class Hardsigmoid(torch.nn.Hardsigmoid):
    """y = min(max(x + 3, 0), 6) / 6; see `torchref.functional.hardsigmoid`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.hardsigmoid(input, self.inplace)


class Hardswish(torch.nn.Hardswish):
    """y = x min(max(x + 3, 0), 6) / 6; see `torchref.functional.hardswish`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.hardswish(input, self.inplace)


class GLU(torch.nn.GLU):
    """y = a σ(b) for the halves [a, b] of the input; see `torchref.functional.glu`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.glu(input, self.dim)


class SwiGLU(torch.nn.GLU):
    """y = a silu(b) for the halves [a, b] of the input; see `torchref.functional.swiglu`.

    >>> SwiGLU()(torch.tensor([1.0, 2.0, 0.0, 10.0]))
    tensor([ 0.0000, 19.9991])
    """

    def forward(self, input: Tensor) -> Tensor:
        return functional.swiglu(input, self.dim)


class GEGLU(torch.nn.GLU):
    """y = a gelu(b) for the halves [a, b] of the input; see `torchref.functional.geglu`.

    >>> GEGLU()(torch.tensor([1.0, 2.0, 0.0, 10.0]))
    tensor([ 0., 20.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return functional.geglu(input, self.dim)


class Softmax(torch.nn.Softmax):
    """Along a dimension; see `torchref.functional.softmax`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.softmax(input, self.dim, _stacklevel=5)


class Softmax2d(torch.nn.Softmax2d):
    """Over the channels, at each place of a picture; see `torchref.functional.softmax`."""

    def forward(self, input: Tensor) -> Tensor:
        require(
            input.dim() in (3, 4),
            "Softmax2d: input must have shape (N, C, H, W) or (C, H, W)",
            f"it has shape {shape(input)}",
            "Softmax(dim) takes any.",
        )
        return functional.softmax(input, -3)


class LogSoftmax(torch.nn.LogSoftmax):
    """Along a dimension; see `torchref.functional.log_softmax`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.log_softmax(input, self.dim, _stacklevel=5)


class Sparsemax(Module):
    """Along a dimension; see `torchref.functional.sparsemax`.

    >>> Sparsemax(dim=0)(torch.tensor([0.0, 1.0, 1.5]))
    tensor([0.0000, 0.2500, 0.7500])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return functional.sparsemax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
