"""Equal values, repeated indices, and indices out of range."""

import torch

from .planted import PlantedBug, SavesInputs, indices, leaf, normal, normals


class LargestOfRow(SavesInputs):
    """y = largest of each row; tied entries share the gradient."""

    @staticmethod
    def forward(x):
        return x.amax(-1)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        largest = (x == x.amax(-1, keepdim=True)).to(grad_y.dtype)
        return grad_y.unsqueeze(-1) * largest / largest.sum(-1, keepdim=True)


class LargestOfRowForEveryTie(LargestOfRow):
    """Each tied entry receives the whole gradient."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y.unsqueeze(-1) * (x == x.amax(-1, keepdim=True)).to(grad_y.dtype)


class SmallestOfRow(SavesInputs):
    """y = smallest of each row; tied entries share the gradient."""

    @staticmethod
    def forward(x):
        return x.amin(-1)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        smallest = (x == x.amin(-1, keepdim=True)).to(grad_y.dtype)
        return grad_y.unsqueeze(-1) * smallest / smallest.sum(-1, keepdim=True)


class SmallestOfRowForNoTie(SmallestOfRow):
    """Tied entries receive nothing at all."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        smallest = (x == x.amin(-1, keepdim=True)).to(grad_y.dtype)
        alone = (smallest.sum(-1, keepdim=True) == 1).to(grad_y.dtype)
        return grad_y.unsqueeze(-1) * smallest * alone


class Lookup(SavesInputs):
    """y = rows of weight."""

    @staticmethod
    def forward(weight, index):
        return weight[index]

    @staticmethod
    def backward(ctx, grad_y):
        weight, index = ctx.saved_tensors
        return torch.zeros_like(weight).index_put((index,), grad_y, accumulate=True), None


class LookupKeepingTheLast(Lookup):
    """A row asked for twice receives one of the two gradients."""

    @staticmethod
    def backward(ctx, grad_y):
        weight, index = ctx.saved_tensors
        return torch.zeros_like(weight).index_put((index,), grad_y), None


class GatherColumns(SavesInputs):
    """y[i, j] = x[i, index[i, j]]."""

    @staticmethod
    def forward(x, index):
        return x.gather(-1, index)

    @staticmethod
    def backward(ctx, grad_y):
        x, index = ctx.saved_tensors
        return torch.zeros_like(x).scatter_add(-1, index, grad_y), None


class GatherColumnsKeepingTheLast(GatherColumns):
    """scatter where scatter_add was due."""

    @staticmethod
    def backward(ctx, grad_y):
        x, index = ctx.saved_tensors
        return torch.zeros_like(x).scatter(-1, index, grad_y), None


def means_by_bin(x, bins, count):
    """y[b] = mean of the rows in bin b; rows outside 0 … count - 1 are dropped, empty is zero."""
    member = (bins == torch.arange(count).unsqueeze(-1)).to(x.dtype)
    return (member @ x) / member.sum(-1, keepdim=True).clamp(min=1)


class MeansByBin(SavesInputs):
    """Means of rows by bin, rows out of range dropped."""

    @staticmethod
    def forward(x, bins, count):
        return means_by_bin(x, bins, count)

    @staticmethod
    def backward(ctx, grad_y):
        x, bins = ctx.saved_tensors
        (count,) = ctx.options
        member = (bins == torch.arange(count).unsqueeze(-1)).to(x.dtype)
        shares = grad_y / member.sum(-1, keepdim=True).clamp(min=1)
        return member.t() @ shares, None, None


class MeansByClippedBin(MeansByBin):
    """A dropped row is clipped into the last bin, whose count may be zero."""

    @staticmethod
    def backward(ctx, grad_y):
        _, bins = ctx.saved_tensors
        (count,) = ctx.options
        sizes = (bins == torch.arange(count).unsqueeze(-1)).sum(-1)
        clipped = bins.clamp(0, count - 1)
        return grad_y[clipped] / sizes[clipped].unsqueeze(-1), None, None


def tied_rows(generator):
    x = normal(generator, 4, 5).detach()
    x[1, 0] = x[1, 3] = x[1].max() + 1
    x[2, 1] = x[2, 4] = x[2].min() - 1
    return (leaf(x),)


def table_with_repeats(generator):
    return normal(generator, 6, 3), torch.tensor([4, 1, 4, 0, 1])


def table_without_repeats(generator):
    return normal(generator, 6, 3), torch.randperm(6, generator=generator)[:5]


def columns(generator):
    return normal(generator, 4, 3), indices(generator, 3, 4, 5)


def bins_in_range(generator):
    return normal(generator, 6, 2), torch.tensor([0, 2, 1, 0, 2, 2]), 3


def bins_out_of_range(generator):
    return normal(generator, 6, 2), torch.tensor([0, 3, 1, 0, 5, 1]), 3


BUGS = (
    PlantedBug(
        name="max gives every tie the whole gradient",
        wrong=LargestOfRowForEveryTie,
        right=LargestOfRow,
        reference=lambda x: x.amax(-1),
        ordinary=normals((4, 5)),
        tripping=tied_rows,
        causes=("wrong-elements",),
        source="sahandsafizadeh/qeep#101",
    ),
    PlantedBug(
        name="min gives ties nothing",
        wrong=SmallestOfRowForNoTie,
        right=SmallestOfRow,
        reference=lambda x: x.amin(-1),
        ordinary=normals((4, 5)),
        tripping=tied_rows,
        causes=("wrong-elements",),
        source="apache/mxnet#18563",
    ),
    PlantedBug(
        name="lookup keeps one gradient of a repeated row",
        wrong=LookupKeepingTheLast,
        right=Lookup,
        reference=lambda weight, index: weight[index],
        ordinary=table_without_repeats,
        tripping=table_with_repeats,
        causes=("wrong-elements",),
        source="jax-ml/jax#12469",
    ),
    PlantedBug(
        name="gather keeps one gradient of a repeated column",
        wrong=GatherColumnsKeepingTheLast,
        right=GatherColumns,
        reference=lambda x, index: x.gather(-1, index),
        ordinary=columns,
        tripping=columns,
        causes=("wrong-elements",),
        source="jax-ml/jax#16684",
    ),
    PlantedBug(
        name="mean by bin clips dropped rows into the last bin",
        wrong=MeansByClippedBin,
        right=MeansByBin,
        reference=means_by_bin,
        ordinary=bins_in_range,
        tripping=bins_out_of_range,
        causes=("not-finite", "wrong-elements"),
        source="jax-ml/jax#40648",
    ),
)
