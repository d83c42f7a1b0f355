"""Activations under torch's signatures."""

from torch import Tensor

from torchref.functional.admission import require_real_tensors
from torchref.functional.precision import autocast_off
from torchref.ops import Sigmoid


def sigmoid(input: Tensor) -> Tensor:
    """y = 1 / (1 + e⁻ˣ), as `torch.nn.functional.sigmoid`; see `torchref.ops.Sigmoid`.

    >>> sigmoid(torch.tensor(0.415))
    tensor(0.6023)
    """
    require_real_tensors("sigmoid", input=input)
    with autocast_off(input):
        return Sigmoid.call(input)
