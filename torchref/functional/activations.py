"""Activations under torch's signatures."""

from torch import Tensor

from torchref.functional.admission import autocast_off, require, require_real_tensors
from torchref.ops import ReLU, Sigmoid, Tanh


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """y = max(x, 0), as `torch.nn.functional.relu`; see `torchref.ops.ReLU`.

    `inplace` keeps its place in the signature and must be False.

    >>> relu(torch.tensor([-2.0, 3.0]))
    tensor([0., 3.])
    """
    require_real_tensors("relu", input=input)
    require(
        not inplace,
        "relu: inplace must be False",
        "True arrived",
        "Handwritten ops leave their inputs alone: use the value that is returned.",
    )
    with autocast_off(input):
        return ReLU.call(input)


def sigmoid(input: Tensor) -> Tensor:
    """y = 1 / (1 + e⁻ˣ), as `torch.nn.functional.sigmoid`; see `torchref.ops.Sigmoid`.

    >>> sigmoid(torch.tensor(0.415))
    tensor(0.6023)
    """
    require_real_tensors("sigmoid", input=input)
    with autocast_off(input):
        return Sigmoid.call(input)


def tanh(input: Tensor) -> Tensor:
    """y = tanh x, as `torch.nn.functional.tanh`; see `torchref.ops.Tanh`.

    >>> tanh(torch.tensor(0.5))
    tensor(0.4621)
    """
    require_real_tensors("tanh", input=input)
    with autocast_off(input):
        return Tanh.call(input)
