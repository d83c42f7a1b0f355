"""The handwritten rules: one family a file, each a forward, a backward and a tangent."""

from torchref.ops.activations import LogSigmoid, Sigmoid, Softplus, Tanh
from torchref.ops.affine import Affine, HomogeneousAffine
from torchref.ops.gated_units import GEGLU, GLU, SwiGLU
from torchref.ops.losses import REDUCTIONS, LogLoss, LogLossWithLogits, Reduction, SquaredError
from torchref.ops.normalisation import (
    FixedStandardisation,
    RMSNorm,
    Standardisation,
    UnitNorm,
    rms_norm_steps,
    standardisation_steps,
)
from torchref.ops.op import Op
from torchref.ops.pieces import ELU, SELU, Hardsigmoid, Hardswish, LeakyReLU, PReLU, ReLU
from torchref.ops.self_gated import GELU, Mish, SiLU, TanhGELU
from torchref.ops.softmax import LogSoftmax, Softmax, SoftmaxCrossEntropy

__all__ = [
    "ELU",
    "GEGLU",
    "GELU",
    "GLU",
    "REDUCTIONS",
    "SELU",
    "Affine",
    "FixedStandardisation",
    "Hardsigmoid",
    "Hardswish",
    "HomogeneousAffine",
    "LeakyReLU",
    "LogLoss",
    "LogLossWithLogits",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "Op",
    "PReLU",
    "RMSNorm",
    "ReLU",
    "Reduction",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "SoftmaxCrossEntropy",
    "Softplus",
    "SquaredError",
    "Standardisation",
    "SwiGLU",
    "Tanh",
    "TanhGELU",
    "UnitNorm",
    "rms_norm_steps",
    "standardisation_steps",
]
