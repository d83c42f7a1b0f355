"""Losses as layers."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from torchref import functional, ops
from torchref.functional.admission import require_reduction


class BCELoss(torch.nn.BCELoss):
    """The log loss of probabilities; see `torchref.functional.binary_cross_entropy`."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.binary_cross_entropy(
            input, target, weight=self.weight, reduction=self.reduction
        )


class BCEWithLogitsLoss(torch.nn.BCEWithLogitsLoss):
    """The log loss of logits; see `torchref.functional.binary_cross_entropy_with_logits`."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.binary_cross_entropy_with_logits(
            input,
            target,
            weight=self.weight,
            pos_weight=self.pos_weight,
            reduction=self.reduction,
        )


class CrossEntropyLoss(torch.nn.CrossEntropyLoss):
    """−Σ t ln softmax(x); see `torchref.functional.cross_entropy`."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class MSELoss(torch.nn.MSELoss):
    """The mean squared error; see `torchref.functional.mse_loss`."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.mse_loss(input, target, reduction=self.reduction)


class L1Loss(torch.nn.L1Loss):
    """The mean absolute error; see `torchref.functional.l1_loss`."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(torch.nn.SmoothL1Loss):
    """A square near 0 and straight beyond; see `torchref.functional.smooth_l1_loss`."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(torch.nn.HuberLoss):
    """A square near 0 and straight beyond; see `torchref.functional.huber_loss`."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class KLDivLoss(torch.nn.KLDivLoss):
    """The divergence of two distributions; see `torchref.functional.kl_div`."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.kl_div(
            input, target, reduction=self.reduction, log_target=self.log_target
        )


class NLLLoss(torch.nn.NLLLoss):
    """The right class's logarithm, negative; see `torchref.functional.nll_loss`."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.nll_loss(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class HingeEmbeddingLoss(torch.nn.HingeEmbeddingLoss):
    """Of a distance; see `torchref.functional.hinge_embedding_loss`."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.hinge_embedding_loss(
            input, target, margin=self.margin, reduction=self.reduction
        )


class MarginRankingLoss(torch.nn.MarginRankingLoss):
    """Of two scores; see `torchref.functional.margin_ranking_loss`."""

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return functional.margin_ranking_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


class MultiMarginLoss(torch.nn.MultiMarginLoss):
    """The right class ahead of each other; see `torchref.functional.multi_margin_loss`."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.multi_margin_loss(
            input,
            target,
            p=self.p,
            margin=self.margin,
            weight=self.weight,
            reduction=self.reduction,
        )


class CosineEmbeddingLoss(torch.nn.CosineEmbeddingLoss):
    """Of two directions; see `torchref.functional.cosine_embedding_loss`."""

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return functional.cosine_embedding_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


# An older torch has none: beside it this can be imported, and not be made.
TORCHS: Any = getattr(torch.nn, "LinearCrossEntropyLoss", Module)


class LinearCrossEntropyLoss(TORCHS):
    """A linear layer and its cross-entropy; see `torchref.functional.linear_cross_entropy`."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        weight, bias = self.linear.weight, self.linear.bias
        logits = (self.num_classes, *self.out_features)
        return functional.linear_cross_entropy(
            input,
            weight.reshape(*logits, weight.shape[-1]),
            target,
            linear_bias=None if bias is None else bias.reshape(logits),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            options=self.options,
        )


class SquaredError(Module):
    """The squared error in one of the lectures' conventions; see `functional.squared_error`.

    >>> SquaredError("half_sum")(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(2.)
    """

    def __init__(self, reduction: str = "sum") -> None:
        require_reduction("SquaredError", reduction, ops.REDUCTIONS)
        super().__init__()
        self.reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.squared_error(input, target, self.reduction)

    def extra_repr(self) -> str:
        return f"reduction={self.reduction!r}"
