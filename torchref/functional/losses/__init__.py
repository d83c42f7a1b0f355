"""Losses under torch's signatures, in float32 at least, and reduced in torch's ways."""

from torchref.functional.losses.class_numbers import multi_margin_loss, nll_loss
from torchref.functional.losses.cross_entropy import cross_entropy
from torchref.functional.losses.differences import (
    huber_loss,
    l1_loss,
    mse_loss,
    smooth_l1_loss,
    squared_error,
)
from torchref.functional.losses.linear_cross_entropy import linear_cross_entropy
from torchref.functional.losses.log_loss import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    kl_div,
)
from torchref.functional.losses.margins import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
)

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cosine_embedding_loss",
    "cross_entropy",
    "hinge_embedding_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "linear_cross_entropy",
    "margin_ranking_loss",
    "mse_loss",
    "multi_margin_loss",
    "nll_loss",
    "smooth_l1_loss",
    "squared_error",
]
