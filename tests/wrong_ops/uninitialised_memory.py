"""Gradients that start as whatever the allocator hands out."""

import torch

from .planted import PlantedBug, SavesInputs, indices, normal, normals


def pack(x, lengths, longest):
    """The first rows of every sequence, up to its length and to the longest kept; else zero."""
    kept = torch.arange(x.shape[1]) < lengths.clamp(max=longest).unsqueeze(-1)
    return (x * kept.unsqueeze(-1).to(x.dtype))[:, :longest]


class Pack(SavesInputs):
    """Sequences cut at their lengths and at a longest length."""

    @staticmethod
    def forward(x, lengths, longest):
        return pack(x, lengths, longest)

    @staticmethod
    def backward(ctx, grad_y):
        x, lengths = ctx.saved_tensors
        (longest,) = ctx.options
        kept = torch.arange(x.shape[1]) < lengths.clamp(max=longest).unsqueeze(-1)
        missing = x.shape[1] - grad_y.shape[1]
        tail = torch.zeros_like(x[:, :missing])
        return torch.cat([grad_y, tail], 1) * kept.unsqueeze(-1).to(x.dtype), None, None


class PackIntoEmpty(Pack):
    """Rows beyond the longest kept length are never written."""

    @staticmethod
    def backward(ctx, grad_y):
        x, lengths = ctx.saved_tensors
        (longest,) = ctx.options
        grad_x = torch.empty_like(x)
        for sequence, length in enumerate(lengths.clamp(max=longest).tolist()):
            grad_x[sequence, :length] = grad_y[sequence, :length]
        return grad_x, None, None


def tanh_up_to(x, bounds):
    covered = torch.arange(len(x)) < bounds[-1]
    return x.tanh() * covered.unsqueeze(-1).to(x.dtype)


class TanhUpTo(SavesInputs):
    """tanh of the rows before the last bound, zero beyond."""

    @staticmethod
    def forward(x, bounds):
        return tanh_up_to(x, bounds)

    @staticmethod
    def backward(ctx, grad_y):
        x, bounds = ctx.saved_tensors
        covered = (torch.arange(len(x)) < bounds[-1]).unsqueeze(-1).to(x.dtype)
        return grad_y * (1 - x.tanh() ** 2) * covered, None


class TanhUpToIntoEmpty(TanhUpTo):
    """Rows beyond the last bound are never written."""

    @staticmethod
    def backward(ctx, grad_y):
        x, bounds = ctx.saved_tensors
        grad_x = torch.empty_like(x)
        grad_x[: bounds[-1]] = TanhUpTo.backward(ctx, grad_y)[0][: bounds[-1]]
        return grad_x, None


class Lookup(SavesInputs):
    """y = rows of weight."""

    @staticmethod
    def forward(weight, index):
        return weight[index]

    @staticmethod
    def backward(ctx, grad_y):
        weight, index = ctx.saved_tensors
        return torch.zeros_like(weight).index_put((index,), grad_y, accumulate=True), None


class LookupIntoEmpty(Lookup):
    """Accumulates into a buffer that was never zeroed."""

    @staticmethod
    def backward(ctx, grad_y):
        weight, index = ctx.saved_tensors
        return torch.empty_like(weight).index_put_((index,), grad_y, accumulate=True), None


class Zero(SavesInputs):
    """y = 0 in the shape of x."""

    @staticmethod
    def forward(x):
        return torch.zeros_like(x)

    @staticmethod
    def backward(ctx, grad_y):
        return torch.zeros_like(grad_y)


class ZeroIntoEmpty(Zero):
    """new_empty where new_zeros was meant."""

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y.new_empty(grad_y.shape)


def sequences(generator):
    return normal(generator, 3, 6, 2), torch.tensor([6, 2, 5]), 4


def sequences_all_covered(generator):
    return normal(generator, 3, 4, 2), torch.tensor([4, 4, 4]), 4


def rows_all_covered(generator):
    return normal(generator, 7, 3), torch.tensor([0, 3, 7])


def rows_beyond_the_last_bound(generator):
    return normal(generator, 7, 3), torch.tensor([0, 3, 5])


def table_and_index(generator):
    return normal(generator, 6, 3), indices(generator, 6, 8)


BUGS = (
    PlantedBug(
        name="pack never writes rows beyond the longest",
        wrong=PackIntoEmpty,
        right=Pack,
        reference=pack,
        ordinary=sequences_all_covered,
        tripping=sequences,
        causes=("uninitialised-memory",),
        source="pytorch/FBGEMM#5754",
        behavioural=True,
    ),
    PlantedBug(
        name="tanh never writes rows beyond the last bound",
        wrong=TanhUpToIntoEmpty,
        right=TanhUpTo,
        reference=tanh_up_to,
        ordinary=rows_all_covered,
        tripping=rows_beyond_the_last_bound,
        causes=("uninitialised-memory",),
        source="fla-org/flash-linear-attention#892",
        behavioural=True,
    ),
    PlantedBug(
        name="lookup accumulates into an empty buffer",
        wrong=LookupIntoEmpty,
        right=Lookup,
        reference=lambda weight, index: weight[index],
        ordinary=table_and_index,
        tripping=table_and_index,
        causes=("uninitialised-memory",),
        source="pytorch/pytorch#193633",
        behavioural=True,
    ),
    PlantedBug(
        name="zero returns an empty gradient",
        wrong=ZeroIntoEmpty,
        right=Zero,
        reference=lambda x: x * 0,
        ordinary=normals((5, 4)),
        tripping=normals((5, 4)),
        causes=("uninitialised-memory",),
        source="pytorch/pytorch#2929",
        behavioural=True,
    ),
)
