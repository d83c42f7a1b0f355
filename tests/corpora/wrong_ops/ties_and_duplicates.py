"""Equal values, repeated indices, and indices out of range."""

import torch

from tests.random_inputs import indices, leaf, normal, normals

from .planted import at, wrong_backward
from .right_rules import Lookup
from .rule import gradients_of


@gradients_of(lambda x: x.amax(-1))
def LargestOfRow(grad_y, x):
    """y = largest of each row; tied entries share the gradient."""
    largest = (x == x.amax(-1, keepdim=True)).to(grad_y.dtype)
    return grad_y.unsqueeze(-1) * largest / largest.sum(-1, keepdim=True)


def tied_rows(generator):
    x = normal(generator, 4, 5).detach()
    x[1, 0] = x[1, 3] = x[1].max() + 1
    x[2, 1] = x[2, 4] = x[2].min() - 1
    return (leaf(x),)


@wrong_backward(LargestOfRow, "wrong-elements", source="sahandsafizadeh/qeep#101")
@at(normals((4, 5)), tripping=tied_rows)
def max_gives_every_tie_the_whole_gradient(grad_y, x):
    return grad_y.unsqueeze(-1) * (x == x.amax(-1, keepdim=True)).to(grad_y.dtype)


@gradients_of(lambda x: x.amin(-1))
def SmallestOfRow(grad_y, x):
    """y = smallest of each row; tied entries share the gradient."""
    smallest = (x == x.amin(-1, keepdim=True)).to(grad_y.dtype)
    return grad_y.unsqueeze(-1) * smallest / smallest.sum(-1, keepdim=True)


@wrong_backward(SmallestOfRow, "wrong-elements", source="apache/mxnet#18563")
@at(normals((4, 5)), tripping=tied_rows)
def min_gives_ties_nothing(grad_y, x):
    """Tied entries receive nothing at all."""
    smallest = (x == x.amin(-1, keepdim=True)).to(grad_y.dtype)
    alone = (smallest.sum(-1, keepdim=True) == 1).to(grad_y.dtype)
    return grad_y.unsqueeze(-1) * smallest * alone


def table_with_repeats(generator):
    return normal(generator, 6, 3), torch.tensor([4, 1, 4, 0, 1])


def table_without_repeats(generator):
    return normal(generator, 6, 3), torch.randperm(6, generator=generator)[:5]


@wrong_backward(Lookup, "wrong-elements", source="jax-ml/jax#12469")
@at(table_without_repeats, tripping=table_with_repeats)
def lookup_keeps_one_gradient_of_a_repeated_row(grad_y, weight, index):
    """A row asked for twice receives one of the two gradients."""
    return torch.zeros_like(weight).index_put((index,), grad_y), None


@gradients_of(lambda x, index: x.gather(-1, index))
def GatherColumns(grad_y, x, index):
    """y[i, j] = x[i, index[i, j]]."""
    return torch.zeros_like(x).scatter_add(-1, index, grad_y), None


def columns(generator):
    return normal(generator, 4, 3), indices(generator, 3, 4, 5)


@wrong_backward(GatherColumns, "wrong-elements", source="jax-ml/jax#16684")
@at(columns)
def gather_keeps_one_gradient_of_a_repeated_column(grad_y, x, index):
    """scatter where scatter_add was due."""
    return torch.zeros_like(x).scatter(-1, index, grad_y), None


def means_by_bin(x, bins, count):
    """y[b] = mean of the rows in bin b; rows outside 0 … count - 1 are dropped, empty is zero."""
    member = (bins == torch.arange(count).unsqueeze(-1)).to(x.dtype)
    return (member @ x) / member.sum(-1, keepdim=True).clamp(min=1)


@gradients_of(means_by_bin)
def MeansByBin(grad_y, x, bins, count):
    """Means of rows by bin, rows out of range dropped."""
    member = (bins == torch.arange(count).unsqueeze(-1)).to(x.dtype)
    shares = grad_y / member.sum(-1, keepdim=True).clamp(min=1)
    return member.t() @ shares, None, None


def bins_in_range(generator):
    return normal(generator, 6, 2), torch.tensor([0, 2, 1, 0, 2, 2]), 3


def bins_out_of_range(generator):
    return normal(generator, 6, 2), torch.tensor([0, 3, 1, 0, 5, 1]), 3


@wrong_backward(MeansByBin, "not-finite", "wrong-elements", source="jax-ml/jax#40648")
@at(bins_in_range, tripping=bins_out_of_range)
def mean_by_bin_clips_dropped_rows_into_the_last_bin(grad_y, x, bins, count):
    """A dropped row is clipped into the last bin, whose count may be zero."""
    sizes = (bins == torch.arange(count).unsqueeze(-1)).sum(-1)
    clipped = bins.clamp(0, count - 1)
    return grad_y[clipped] / sizes[clipped].unsqueeze(-1), None, None
