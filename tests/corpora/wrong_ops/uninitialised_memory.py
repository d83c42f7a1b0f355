"""Gradients that start as whatever the allocator hands out."""

import torch

from tests.random_inputs import indices, normal, normals

from .planted import at, wrong_backward
from .right_rules import Lookup
from .rule import gradients_of


def pack(x, lengths, longest):
    """The first rows of every sequence, up to its length and to the longest kept; else zero."""
    kept = torch.arange(x.shape[1]) < lengths.clamp(max=longest).unsqueeze(-1)
    return (x * kept.unsqueeze(-1).to(x.dtype))[:, :longest]


@gradients_of(pack)
def Pack(grad_y, x, lengths, longest):
    """Sequences cut at their lengths and at a longest length."""
    kept = torch.arange(x.shape[1]) < lengths.clamp(max=longest).unsqueeze(-1)
    missing = x.shape[1] - grad_y.shape[1]
    tail = torch.zeros_like(x[:, :missing])
    return torch.cat([grad_y, tail], 1) * kept.unsqueeze(-1).to(x.dtype), None, None


def sequences(generator):
    return normal(generator, 3, 6, 2), torch.tensor([6, 2, 5]), 4


def sequences_all_covered(generator):
    return normal(generator, 3, 4, 2), torch.tensor([4, 4, 4]), 4


@wrong_backward(Pack, "uninitialised-memory", source="pytorch/FBGEMM#5754", behavioural=True)
@at(sequences_all_covered, tripping=sequences)
def pack_never_writes_rows_beyond_the_longest(grad_y, x, lengths, longest):
    """Rows beyond the longest kept length are never written."""
    grad_x = torch.empty_like(x)
    for sequence, length in enumerate(lengths.clamp(max=longest).tolist()):
        grad_x[sequence, :length] = grad_y[sequence, :length]
    return grad_x, None, None


def tanh_up_to(x, bounds):
    covered = torch.arange(len(x)) < bounds[-1]
    return x.tanh() * covered.unsqueeze(-1).to(x.dtype)


@gradients_of(tanh_up_to)
def TanhUpTo(grad_y, x, bounds):
    """tanh of the rows before the last bound, zero beyond."""
    covered = (torch.arange(len(x)) < bounds[-1]).unsqueeze(-1).to(x.dtype)
    return grad_y * (1 - x.tanh() ** 2) * covered, None


def rows_all_covered(generator):
    return normal(generator, 7, 3), torch.tensor([0, 3, 7])


def rows_beyond_the_last_bound(generator):
    return normal(generator, 7, 3), torch.tensor([0, 3, 5])


@wrong_backward(
    TanhUpTo, "uninitialised-memory", source="fla-org/flash-linear-attention#892", behavioural=True
)
@at(rows_all_covered, tripping=rows_beyond_the_last_bound)
def tanh_never_writes_rows_beyond_the_last_bound(grad_y, x, bounds):
    grad_x = torch.empty_like(x)
    grad_x[: bounds[-1]] = TanhUpTo.gradients(grad_y, x, bounds)[0][: bounds[-1]]
    return grad_x, None


def table_and_index(generator):
    return normal(generator, 6, 3), indices(generator, 6, 8)


@wrong_backward(Lookup, "uninitialised-memory", source="pytorch/pytorch#193633", behavioural=True)
@at(table_and_index)
def lookup_accumulates_into_an_empty_buffer(grad_y, weight, index):
    """Accumulates into a buffer that was never zeroed."""
    return torch.empty_like(weight).index_put_((index,), grad_y, accumulate=True), None


@gradients_of(lambda x: torch.zeros_like(x))
def Zero(grad_y, x):
    """y = 0 in the shape of x."""
    return torch.zeros_like(grad_y)


@wrong_backward(
    Zero,
    "uninitialised-memory",
    source="pytorch/pytorch#2929",
    reference=lambda x: x * 0,
    behavioural=True,
)
@at(normals((5, 4)))
def zero_returns_an_empty_gradient(grad_y, x):
    """new_empty where new_zeros was meant."""
    return grad_y.new_empty(grad_y.shape)
