"""Functions that only move entries."""

import torch

from tests.random_inputs import normals

from .right_function import family


def concatenated(first, second):
    return torch.cat([first, second], 0)


def stacked(first, second):
    return torch.stack([first, second], 1)


def parts(x):
    return x.split([1, 3, 2], -1)


def expanded(x):
    return x.expand(4, -1, 5)


MATRIX = normals((4, 5))
CUBE = normals((2, 3, 4))
FUNCTIONS = family(
    ("triu", torch.triu, MATRIX, {"diagonal": 1}),
    ("tril", torch.tril, MATRIX, {"diagonal": -1}),
    ("diagonal", torch.diagonal, CUBE, {"offset": 1, "dim1": 1, "dim2": 2}),
    ("diag_embed", torch.diag_embed, normals((3, 4))),
    ("roll", torch.roll, MATRIX, {"shifts": (2, -1), "dims": (0, 1)}),
    ("flip", torch.flip, CUBE, {"dims": (0, 2)}),
    ("rot90", torch.rot90, MATRIX),
    ("permute", torch.permute, CUBE, {"dims": (2, 0, 1)}),
    ("transpose", torch.transpose, CUBE, {"dim0": 0, "dim1": 2}),
    ("reshape", torch.reshape, CUBE, {"shape": (6, 4)}),
    ("cat", concatenated, normals((4, 3), (2, 3))),
    ("stack", stacked, normals((4, 3), (4, 3))),
    ("split", parts, normals((2, 6))),
    ("expand", expanded, normals((3, 1))),
    ("repeat_interleave", torch.repeat_interleave, MATRIX, {"repeats": 2, "dim": 0}),
    ("tile", torch.tile, MATRIX, {"dims": (2, 1)}),
    ("narrow", torch.narrow, MATRIX, {"dim": 1, "start": 1, "length": 3}),
)
