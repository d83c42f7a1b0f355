"""Modules with the names, arguments and state_dict of `torch.nn`, and handwritten gradients.

`import torchref.nn as nn` is enough to move a model over. What computes nothing is torch's own
(`Module`, `Sequential`, `Parameter`, ...); what computes is handwritten, and a layer that is not
written yet says so rather than being torch's in disguise.
"""

from typing import NoReturn

import torch
from torch.nn import (
    Buffer,
    Flatten,
    Identity,
    Module,
    ModuleDict,
    ModuleList,
    Parameter,
    ParameterDict,
    ParameterList,
    Sequential,
    Unflatten,
    init,
    parallel,
    utils,
)

from torchref import functional, ops
from torchref.errors import not_handwritten
from torchref.nn.activations import (
    ELU,
    GEGLU,
    GELU,
    GLU,
    SELU,
    Hardsigmoid,
    Hardswish,
    LeakyReLU,
    LogSigmoid,
    Mish,
    PReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    SwiGLU,
    Tanh,
)
from torchref.nn.affine import HomogeneousLinear, Linear
from torchref.nn.losses import BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, MSELoss, SquaredError
from torchref.nn.network import SigmoidNetwork
from torchref.nn.normalisation import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    GroupNorm,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
    LayerNorm,
    RMSNorm,
)

__all__ = [
    "ELU",
    "GEGLU",
    "GELU",
    "GLU",
    "SELU",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Buffer",
    "CrossEntropyLoss",
    "Flatten",
    "GroupNorm",
    "Hardsigmoid",
    "Hardswish",
    "HomogeneousLinear",
    "Identity",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "MSELoss",
    "Mish",
    "Module",
    "ModuleDict",
    "ModuleList",
    "PReLU",
    "Parameter",
    "ParameterDict",
    "ParameterList",
    "RMSNorm",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SigmoidNetwork",
    "Softplus",
    "SquaredError",
    "SwiGLU",
    "Tanh",
    "Unflatten",
    "functional",
    "init",
    "parallel",
    "utils",
]


def __getattr__(name: str) -> NoReturn:
    """Names of torch.nn that are not handwritten here are refused by name."""
    raise not_handwritten(__name__, name, torch.nn, name if hasattr(ops, name) else None)
