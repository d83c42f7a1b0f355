"""Offsets in an integer too narrow for large tensors; eight bits stand for thirty-two."""

import torch

from tests.random_inputs import indices, normal, normals

from .planted import at, wrong_backward
from .right_rules import Lookup, Square


@wrong_backward(Square, "wrong-elements", source="state-spaces/mamba#883")
@at(normals((5, 4)), tripping=normals((20, 11)))
def square_wraps_its_offset(grad_y, x):
    """Entries from number 128 on are read from a wrapped offset."""
    grad_x = Square.gradients(grad_y, x)
    if grad_x.numel() == 0:
        return grad_x
    offset = torch.arange(grad_x.numel()).to(torch.int8).long() % grad_x.numel()
    return grad_x.reshape(-1)[offset].reshape(grad_x.shape)


def small_table(generator):
    return normal(generator, 9, 4), indices(generator, 9, 7)


def large_table(generator):
    return normal(generator, 40, 6), torch.cat([indices(generator, 40, 9), torch.tensor([39])])


@wrong_backward(Lookup, "wrong-elements", source="pytorch/pytorch#188467")
@at(small_table, tripping=large_table)
def lookup_drops_rows_of_large_offset(grad_y, weight, index):
    """Rows whose offset does not fit receive nothing."""
    fits = index * weight.shape[-1] < 128
    grad_fitting = grad_y * fits.unsqueeze(-1).to(grad_y.dtype)
    return torch.zeros_like(weight).index_put((index,), grad_fitting, accumulate=True), None
