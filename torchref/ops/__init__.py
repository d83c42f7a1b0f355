"""The handwritten rules: one family a file, each a forward, a backward and a tangent."""

from torchref.ops.affine import Affine, HomogeneousAffine
from torchref.ops.log_loss import LogLoss, LogLossWithLogits
from torchref.ops.op import Op
from torchref.ops.reduction import REDUCTIONS, Reduction
from torchref.ops.relu import ReLU
from torchref.ops.sigmoid import Sigmoid
from torchref.ops.softmax import LogSoftmax, Softmax
from torchref.ops.softmax_cross_entropy import SoftmaxCrossEntropy
from torchref.ops.softplus import Softplus
from torchref.ops.squared_error import SquaredError
from torchref.ops.tanh import Tanh

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
