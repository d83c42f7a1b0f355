"""The handwritten ops under the signatures of `torch.nn.functional`.

Here stands all that is not mathematics: what may come in, and what autocast makes of it. The
deprecated `size_average` and `reduce` keep their places in the signatures and are refused.
"""

from typing import NoReturn

import torch.nn.functional

from torchref import ops
from torchref.errors import not_handwritten
from torchref.functional.activations import (
    elu,
    gelu,
    hardsigmoid,
    hardswish,
    leaky_relu,
    logsigmoid,
    mish,
    prelu,
    relu,
    selu,
    sigmoid,
    silu,
    softplus,
    tanh,
)
from torchref.functional.affine import homogeneous_linear, linear
from torchref.functional.batch_norm import batch_norm, instance_norm
from torchref.functional.cross_entropy import cross_entropy
from torchref.functional.gated_units import geglu, glu, swiglu
from torchref.functional.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    mse_loss,
    squared_error,
)
from torchref.functional.normalisation import group_norm, layer_norm, normalize, rms_norm

__all__ = [
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "elu",
    "geglu",
    "gelu",
    "glu",
    "group_norm",
    "hardsigmoid",
    "hardswish",
    "homogeneous_linear",
    "instance_norm",
    "layer_norm",
    "leaky_relu",
    "linear",
    "logsigmoid",
    "mish",
    "mse_loss",
    "normalize",
    "prelu",
    "relu",
    "rms_norm",
    "selu",
    "sigmoid",
    "silu",
    "softplus",
    "squared_error",
    "swiglu",
    "tanh",
]


def __getattr__(name: str) -> NoReturn:
    """Names of torch.nn.functional that are not handwritten here are refused by name."""
    op = "".join(map(str.capitalize, name.split("_")))  # log_softmax is LogSoftmax
    raise not_handwritten(__name__, name, torch.nn.functional, op if hasattr(ops, op) else None)
