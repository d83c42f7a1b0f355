"""Losses as layers."""

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
