"""The softmax and its relatives, and the loss in which it cancels.

`steps` holds forward and backward before they are collapsed.
"""

from torchref.ops.softmax.cross_entropy import SoftmaxCrossEntropy
from torchref.ops.softmax.log_softmax import LogSoftmax
from torchref.ops.softmax.log_sum_exp import LogSumExp
from torchref.ops.softmax.softmax import Softmax
from torchref.ops.softmax.sparsemax import Sparsemax
from torchref.ops.softmax.steps import cross_entropy_steps, softmax_steps, sparsemax_steps

__all__ = [
    "LogSoftmax",
    "LogSumExp",
    "Softmax",
    "SoftmaxCrossEntropy",
    "Sparsemax",
    "cross_entropy_steps",
    "softmax_steps",
    "sparsemax_steps",
]
