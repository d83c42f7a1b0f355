"""The handwritten rules: one family a file, each a forward, a backward and a tangent."""

from torchref.ops.activations import ReLU, Sigmoid, Softplus, Tanh
from torchref.ops.affine import Affine, HomogeneousAffine
from torchref.ops.losses import REDUCTIONS, LogLoss, LogLossWithLogits, Reduction, SquaredError
from torchref.ops.op import Op
from torchref.ops.softmax import LogSoftmax, Softmax, SoftmaxCrossEntropy

__all__ = [
    "REDUCTIONS",
    "Affine",
    "HomogeneousAffine",
    "LogLoss",
    "LogLossWithLogits",
    "LogSoftmax",
    "Op",
    "ReLU",
    "Reduction",
    "Sigmoid",
    "Softmax",
    "SoftmaxCrossEntropy",
    "Softplus",
    "SquaredError",
    "Tanh",
]
