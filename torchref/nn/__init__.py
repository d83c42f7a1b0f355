"""Modules with the names, arguments and state_dict of `torch.nn`, and handwritten gradients.

`import torchref.nn as nn` is enough to move a model over. What computes nothing is torch's own
(`Module`, `Sequential`, `Parameter`, ...); what computes is handwritten, and a layer that is not
written yet says so rather than being torch's in disguise.
"""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from numbers import Integral
from typing import NoReturn

import torch
from torch import Tensor
from torch.nn import (
    Buffer,
    Flatten,
    Identity,
    Module,
    ModuleDict,
    ModuleList,
    Parameter,
    ParameterDict,
    ParameterList,
    Sequential,
    Unflatten,
    init,
    parallel,
    utils,
)

from torchref import functional, ops
from torchref.errors import InputError, not_handwritten
from torchref.functional.admission import require_reduction

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "Buffer",
    "CrossEntropyLoss",
    "Flatten",
    "HomogeneousLinear",
    "Identity",
    "Linear",
    "MSELoss",
    "Module",
    "ModuleDict",
    "ModuleList",
    "Parameter",
    "ParameterDict",
    "ParameterList",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "SigmoidNetwork",
    "SquaredError",
    "Tanh",
    "Unflatten",
    "functional",
    "init",
    "parallel",
    "utils",
]


def __getattr__(name: str) -> NoReturn:
    """Names of torch.nn that are not handwritten here are refused by name."""
    raise not_handwritten(__name__, name, torch.nn, name if hasattr(ops, name) else None)


class Linear(torch.nn.Linear):
    """y = x Wᵀ + b; see `torchref.functional.linear`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.linear(input, self.weight, self.bias)


class HomogeneousLinear(Module):
    """y = [x; 1] Wᵀ, the bias being the last column of W (lecture 004).

    >>> layer = HomogeneousLinear(2, 3)
    >>> layer.weight.shape
    torch.Size([3, 3])
    """

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        start = torch.nn.Linear(in_features, out_features)
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(torch.column_stack((start.weight, start.bias)).detach())

    def forward(self, input: Tensor) -> Tensor:
        return functional.homogeneous_linear(input, self.weight)

    def unfolded(self) -> Linear:
        """The same layer with weight and bias apart."""
        apart = Linear(self.in_features, self.out_features).to(self.weight)
        with torch.no_grad():
            apart.weight.copy_(self.weight[:, :-1])
            apart.bias.copy_(self.weight[:, -1])
        return apart

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}"


class Sigmoid(torch.nn.Sigmoid):
    """y = 1 / (1 + e⁻ˣ); see `torchref.functional.sigmoid`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.sigmoid(input)


class Tanh(torch.nn.Tanh):
    """y = tanh x; see `torchref.functional.tanh`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.tanh(input)


class ReLU(torch.nn.ReLU):
    """y = max(x, 0); see `torchref.functional.relu`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.relu(input, self.inplace)


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


class SigmoidNetwork(Sequential):
    """The lectures' network: a linear layer and a sigmoid for each step between two sizes.

    Layers are named by the lectures' superscripts: `linear1`, `sigmoid1`, `linear2`, ...

    >>> SigmoidNetwork((4, 3, 2)).linear1.weight.shape
    torch.Size([3, 4])
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        if not are_sizes(sizes):
            raise InputError(
                "SigmoidNetwork: sizes must be two or more positive whole numbers, inputs first",
                f"{sizes!r} arrived",
                "Lecture 002's network is SigmoidNetwork((4, 3, 2)).",
            )
        super().__init__()
        self.sizes = tuple(map(int, sizes))
        for number, (inputs, outputs) in enumerate(pairwise(self.sizes), start=1):
            self.add_module(f"linear{number}", Linear(inputs, outputs))
            self.add_module(f"sigmoid{number}", Sigmoid())

    def __getitem__(self, index: slice | int) -> Module:
        """A layer, or a part as a plain `Sequential`: `network[:-1]` gives the logits."""
        if isinstance(index, slice):
            return Sequential(OrderedDict(list(self.named_children())[index]))
        return super().__getitem__(index)


def are_sizes(sizes: object) -> bool:
    return (
        isinstance(sizes, Sequence)
        and len(sizes) >= 2
        and all(isinstance(size, Integral) and int(size) >= 1 for size in sizes)
        and bool not in map(type, sizes)
    )
