"""Offsets in an integer too narrow for large tensors; eight bits stand for thirty-two."""

import torch

from .planted import PlantedBug, SavesInputs, indices, normal, normals


class Square(SavesInputs):
    """y = x²."""

    @staticmethod
    def forward(x):
        return x * x

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return 2 * x * grad_y


class SquareWithWrappingOffset(Square):
    """Entries from number 128 on are read from a wrapped offset."""

    @staticmethod
    def backward(ctx, grad_y):
        grad_x = Square.backward(ctx, grad_y)
        if grad_x.numel() == 0:
            return grad_x
        offset = torch.arange(grad_x.numel()).to(torch.int8).long() % grad_x.numel()
        return grad_x.reshape(-1)[offset].reshape(grad_x.shape)


class Lookup(SavesInputs):
    """y = rows of weight."""

    @staticmethod
    def forward(weight, index):
        return weight[index]

    @staticmethod
    def backward(ctx, grad_y):
        weight, index = ctx.saved_tensors
        return torch.zeros_like(weight).index_put((index,), grad_y, accumulate=True), None


class LookupWithOverflowingOffset(Lookup):
    """Rows whose offset does not fit receive nothing."""

    @staticmethod
    def backward(ctx, grad_y):
        weight, index = ctx.saved_tensors
        fits = index * weight.shape[-1] < 128
        grad_fitting = grad_y * fits.unsqueeze(-1).to(grad_y.dtype)
        return torch.zeros_like(weight).index_put((index,), grad_fitting, accumulate=True), None


def small_table(generator):
    return normal(generator, 9, 4), indices(generator, 9, 7)


def large_table(generator):
    return normal(generator, 40, 6), torch.cat([indices(generator, 40, 9), torch.tensor([39])])


BUGS = (
    PlantedBug(
        name="square wraps its offset",
        wrong=SquareWithWrappingOffset,
        right=Square,
        reference=torch.square,
        ordinary=normals((5, 4)),
        tripping=normals((20, 11)),
        causes=("wrong-elements",),
        source="state-spaces/mamba#883",
    ),
    PlantedBug(
        name="lookup drops rows of large offset",
        wrong=LookupWithOverflowingOffset,
        right=Lookup,
        reference=lambda weight, index: weight[index],
        ordinary=small_table,
        tripping=large_table,
        causes=("wrong-elements",),
        source="pytorch/pytorch#188467",
    ),
)
