"""Normalisations, and the running statistics of those over a batch."""

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm

from torchref import functional


class LayerNorm(torch.nn.LayerNorm):
    """Over the last dimensions of each example; see `torchref.functional.layer_norm`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)


class RMSNorm(torch.nn.RMSNorm):
    """Without a mean; see `torchref.functional.rms_norm`."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.rms_norm(x, self.normalized_shape, self.weight, self.eps)


class GroupNorm(torch.nn.GroupNorm):
    """Over groups of channels of each example; see `torchref.functional.group_norm`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)


class OverTheBatch(_BatchNorm):
    """What batch norm of any rank does: by the batch in training, by what is running else.

    `momentum=None` takes the mean of all batches so far: the n-th counts for 1 / n.
    """

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        momentum: float | Tensor = 0.0 if self.momentum is None else self.momentum
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                momentum = 1 / self.num_batches_tracked.double()
        is_kept = self.track_running_stats or not self.training
        has_none = self.running_mean is None and self.running_var is None
        return functional.batch_norm(
            input,
            self.running_mean if is_kept else None,
            self.running_var if is_kept else None,
            self.weight,
            self.bias,
            self.training or has_none,
            momentum,
            self.eps,
        )


class BatchNorm1d(OverTheBatch, torch.nn.BatchNorm1d):
    """Of (N, C) or (N, C, L); see `torchref.functional.batch_norm`."""


class BatchNorm2d(OverTheBatch, torch.nn.BatchNorm2d):
    """Of (N, C, H, W); see `torchref.functional.batch_norm`."""


class BatchNorm3d(OverTheBatch, torch.nn.BatchNorm3d):
    """Of (N, C, D, H, W); see `torchref.functional.batch_norm`."""


class OverAnExample(_InstanceNorm):
    """What instance norm of any rank does; torch's `forward` adds the batch that is missing."""

    def _apply_instance_norm(self, input: Tensor) -> Tensor:
        return functional.instance_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )


class InstanceNorm1d(OverAnExample, torch.nn.InstanceNorm1d):
    """Of (N, C, L) or (C, L); see `torchref.functional.instance_norm`."""


class InstanceNorm2d(OverAnExample, torch.nn.InstanceNorm2d):
    """Of (N, C, H, W) or (C, H, W); see `torchref.functional.instance_norm`."""


class InstanceNorm3d(OverAnExample, torch.nn.InstanceNorm3d):
    """Of (N, C, D, H, W) or (C, D, H, W); see `torchref.functional.instance_norm`."""
