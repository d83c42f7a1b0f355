"""Embeddings, and dropout."""

import torch
from torch import Tensor

from torchref import functional


class Embedding(torch.nn.Embedding):
    """The rows that are named; see `torchref.functional.embedding`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )


class Dropout(torch.nn.Dropout):
    """Entries left out in training; see `torchref.functional.dropout`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(torch.nn.Dropout1d):
    """Channels left out in training; see `torchref.functional.dropout1d`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(torch.nn.Dropout2d):
    """Channels left out in training; see `torchref.functional.dropout2d`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(torch.nn.Dropout3d):
    """Channels left out in training; see `torchref.functional.dropout3d`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.dropout3d(input, self.p, self.training, self.inplace)
