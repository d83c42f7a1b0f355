"""Sums, products, norms and moments, with zeros and constants among their inputs."""

import math

import torch

from tests.corpora.rows import constant_rows
from tests.random_inputs import leaf, normals, small_integers, with_entries

from .right_function import family

ONE_ZERO = with_entries((4, 5), {(1, 2): 0.0})
TWO_ZEROS = with_entries((4, 5), {(1, 2): 0.0, (1, 4): 0.0, (3, 0): 0.0})
ZERO_ROW = with_entries((4, 3), {(1,): 0.0})
MINUS_INFINITY = with_entries((4, 5), {(0, 1): -math.inf, (2, 0): -math.inf, (2, 3): -math.inf})


def empty_rows(_generator):
    return (leaf(torch.zeros(0, 3, dtype=torch.float64)),)


FUNCTIONS = family(
    ("sum", torch.sum, normals((4, 5, 3)), {"dim": (0, 2)}),
    ("sum of nothing", torch.sum, empty_rows),
    ("mean", torch.mean, normals((4, 5)), {"dim": -1, "keepdim": True}),
    ("nansum", torch.nansum, normals((3, 4))),
    ("prod", torch.prod, normals((4, 5)), {"dim": -1}),
    ("prod of everything with one zero", torch.prod, ONE_ZERO),
    ("prod with one zero", torch.prod, ONE_ZERO, {"dim": -1}),
    ("prod with two zeros", torch.prod, TWO_ZEROS, {"dim": -1}),
    ("cumsum", torch.cumsum, normals((4, 5)), {"dim": 1}),
    ("cumprod with one zero", torch.cumprod, ONE_ZERO, {"dim": -1}),
    ("cumprod with two zeros", torch.cumprod, TWO_ZEROS, {"dim": -1}),
    ("logcumsumexp", torch.logcumsumexp, normals((4, 5)), {"dim": -1}),
    ("logsumexp", torch.logsumexp, normals((4, 5)), {"dim": -1}),
    ("logsumexp with minus infinity", torch.logsumexp, MINUS_INFINITY, {"dim": -1}),
    ("softmax with minus infinity", torch.softmax, MINUS_INFINITY, {"dim": -1}),
    ("var", torch.var, normals((4, 6)), {"dim": -1}),
    ("var without correction", torch.var, normals((5, 4)), {"dim": 0, "correction": 0}),
    ("var of a constant", torch.var, constant_rows),
    ("std", torch.std, normals((4, 6)), {"dim": -1}),
    ("std of a constant", torch.std, constant_rows),
    ("norm", torch.linalg.vector_norm, normals((4, 3)), {"dim": -1}),
    ("norm at zero", torch.linalg.vector_norm, ZERO_ROW, {"dim": -1}),
    ("norm of order 1 at zero", torch.linalg.vector_norm, ZERO_ROW, {"ord": 1, "dim": -1}),
    ("norm of order 3", torch.linalg.vector_norm, normals((4, 3)), {"ord": 3, "dim": -1}),
    ("norm of infinite order", torch.linalg.vector_norm, normals((4, 5)), {"ord": math.inf}),
    (
        "norm of infinite order at ties",
        torch.linalg.vector_norm,
        small_integers(3, 4),
        {"ord": math.inf},
    ),
    ("Frobenius norm", torch.linalg.matrix_norm, normals((4, 3))),
    ("trace", torch.trace, normals((4, 5))),
    ("diff", torch.diff, normals((3, 6)), {"dim": -1}),
    ("root mean square", lambda x: x.square().mean().sqrt(), normals((4, 3))),
)
