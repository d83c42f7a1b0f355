"""Layers whose gradients are right, and wrong, for trainers to train."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import Linear, Module, Sequential


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, grad_y: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return 2 * x * grad_y


class SquareWithoutTwo(Square):
    @staticmethod
    def backward(ctx: Any, grad_y: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return x * grad_y


class Squaring(Module):
    def __init__(self, function: type[torch.autograd.Function]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function.apply(x)


def network(function: type[torch.autograd.Function] | None) -> Sequential:
    """With dropout, so that a check that drew random numbers would change the training."""
    torch.manual_seed(0)
    middle = torch.nn.Tanh() if function is None else Squaring(function)
    return Sequential(Linear(4, 5), middle, torch.nn.Dropout(0.25), Linear(5, 1))


def data(count: int = 24) -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(count, 4, generator=generator)
    return list(zip(x, x.sum(dim=1, keepdim=True), strict=True))
