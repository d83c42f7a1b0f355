"""Activations: of each entry by itself, and those with a gate."""

from torchref.ops.activations.gated_units import GEGLU, GLU, SwiGLU
from torchref.ops.activations.piecewise import (
    ELU,
    SELU,
    Hardsigmoid,
    Hardswish,
    LeakyReLU,
    PReLU,
    ReLU,
)
from torchref.ops.activations.pointwise import Pointwise
from torchref.ops.activations.self_gated import GELU, Mish, SiLU, TanhGELU
from torchref.ops.activations.sigmoid import LogSigmoid, Sigmoid, Softplus, Tanh

__all__ = [
    "ELU",
    "GEGLU",
    "GELU",
    "GLU",
    "SELU",
    "Hardsigmoid",
    "Hardswish",
    "LeakyReLU",
    "LogSigmoid",
    "Mish",
    "PReLU",
    "Pointwise",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "SwiGLU",
    "Tanh",
    "TanhGELU",
]
