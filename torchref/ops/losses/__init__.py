"""Losses, and what makes a number of them."""

from torchref.ops.losses.cosine_embedding import CosineEmbedding, cosine_embedding_steps
from torchref.ops.losses.hinge import HingeEmbedding, MarginRanking
from torchref.ops.losses.index_cross_entropy import IndexCrossEntropy
from torchref.ops.losses.kl_divergence import KLDivergence
from torchref.ops.losses.linear_cross_entropy import LinearCrossEntropy
from torchref.ops.losses.log_loss import LogLoss, LogLossWithLogits
from torchref.ops.losses.multi_margin import MultiMargin
from torchref.ops.losses.nll import NLL
from torchref.ops.losses.reduction import REDUCTIONS, Reduction, divisor
from torchref.ops.losses.robust_error import AbsoluteError, HuberError, SmoothAbsoluteError
from torchref.ops.losses.squared_error import SquaredError

__all__ = [
    "NLL",
    "REDUCTIONS",
    "AbsoluteError",
    "CosineEmbedding",
    "HingeEmbedding",
    "HuberError",
    "IndexCrossEntropy",
    "KLDivergence",
    "LinearCrossEntropy",
    "LogLoss",
    "LogLossWithLogits",
    "MarginRanking",
    "MultiMargin",
    "Reduction",
    "SmoothAbsoluteError",
    "SquaredError",
    "cosine_embedding_steps",
    "divisor",
]
