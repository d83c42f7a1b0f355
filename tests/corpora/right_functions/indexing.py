"""Gather, scatter and lookup, with indices that repeat and indices that never occur."""

import torch
from torch.nn import functional as F

from tests.random_inputs import indices, normal, normals

from .right_function import family


def gather_repeated(generator):
    return normal(generator, 4, 3), -1, indices(generator, 3, 4, 6)


def select_repeated(generator):
    return normal(generator, 6, 3), 0, torch.tensor([4, 1, 4, 4, 0])


def add_repeated(generator):
    return normal(generator, 5, 3), 0, torch.tensor([2, 0, 2, 2]), normal(generator, 4, 3)


def scatter_repeated(generator):
    return normal(generator, 5, 3), 0, indices(generator, 5, 4, 3), normal(generator, 4, 3)


def scatter_once(generator):
    order = torch.stack([torch.randperm(5, generator=generator)[:4] for _ in range(3)], -1)
    return normal(generator, 5, 3), 0, order, normal(generator, 4, 3)


def copy_once(generator):
    return normal(generator, 5, 3), 0, torch.tensor([3, 0]), normal(generator, 2, 3)


def put_repeated(generator):
    index = (torch.tensor([1, 1, 3]), torch.tensor([2, 2, 0]))
    return normal(generator, 4, 3), index, normal(generator, 3)


def take_repeated(generator):
    return normal(generator, 4, 3), torch.tensor([[0, 5], [5, 11]])


def table_lookup(generator):
    return torch.tensor([[1, 4, 1], [0, 4, 4]]), normal(generator, 6, 3)


def bag_lookup(generator):
    return torch.tensor([[1, 4, 1], [0, 4, 4]]), normal(generator, 6, 3)


def masked(generator):
    return normal(generator, 4, 5), indices(generator, 2, 4, 5).bool()


def reduce_repeated(generator):
    index = torch.tensor([[0, 1, 0], [2, 1, 0], [0, 2, 0], [2, 2, 1]])
    return normal(generator, 3, 3), 0, index, normal(generator, 4, 3)


def rows_and_columns(x):
    return x[torch.tensor([0, 2, 2]), 1:]


FUNCTIONS = family(
    ("gather with repeats", torch.gather, gather_repeated),
    ("index_select with repeats", torch.index_select, select_repeated),
    ("index_add with repeats", torch.index_add, add_repeated),
    ("index_copy", torch.index_copy, copy_once),
    ("index_put accumulating", torch.index_put, put_repeated, {"accumulate": True}),
    ("scatter", torch.scatter, scatter_once),
    ("scatter_add with repeats", torch.scatter_add, scatter_repeated),
    ("scatter_reduce by mean", torch.scatter_reduce, reduce_repeated, {"reduce": "mean"}),
    ("scatter_reduce by amax", torch.scatter_reduce, reduce_repeated, {"reduce": "amax"}),
    ("scatter_reduce by prod", torch.scatter_reduce, reduce_repeated, {"reduce": "prod"}),
    ("take with repeats", torch.take, take_repeated),
    ("embedding with repeats", F.embedding, table_lookup),
    ("embedding_bag by mean", F.embedding_bag, bag_lookup, {"mode": "mean"}),
    ("masked_fill", torch.masked_fill, masked, {"value": 0.5}),
    ("masked_select", torch.masked_select, masked),
    ("rows and columns by index", rows_and_columns, normals((4, 5))),
)
