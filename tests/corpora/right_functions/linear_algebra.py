"""Decompositions and solves of well-conditioned matrices."""

import torch

from tests.random_inputs import leaf, normal, normals

from .right_function import family


def well_conditioned(generator, size):
    return 4 * torch.eye(size, dtype=torch.float64) + normal(generator, size, size).detach() / 2


def matrix(generator):
    return (leaf(well_conditioned(generator, 4)),)


def matrix_and_columns(generator):
    return leaf(well_conditioned(generator, 4)), normal(generator, 4, 3)


def triangle_and_columns(generator):
    return leaf(well_conditioned(generator, 4).triu()), normal(generator, 4, 3)


def cholesky_of_symmetric(x):
    return torch.linalg.cholesky(x + x.mT)


def eigenvalues_of_symmetric(x):
    return torch.linalg.eigvalsh(x + x.mT)


def spread_matrix(generator):
    spread = torch.diag(torch.tensor([1.0, 2.5, 4.0, 6.0], dtype=torch.float64))
    return (leaf(spread + normal(generator, 4, 4).detach() / 10),)


def log_determinant(x):
    return torch.linalg.slogdet(x).logabsdet


def triangular_and_orthogonal(x):
    return tuple(torch.linalg.qr(x))


FUNCTIONS = family(
    ("cholesky", cholesky_of_symmetric, matrix),
    ("solve", torch.linalg.solve, matrix_and_columns),
    ("solve_triangular", torch.linalg.solve_triangular, triangle_and_columns, {"upper": True}),
    ("inv", torch.linalg.inv, matrix),
    ("det", torch.linalg.det, matrix),
    ("log of the determinant", log_determinant, matrix),
    ("qr", triangular_and_orthogonal, spread_matrix),
    ("svdvals", torch.linalg.svdvals, spread_matrix),
    ("eigvalsh", eigenvalues_of_symmetric, spread_matrix),
    ("matrix_exp", torch.linalg.matrix_exp, normals((3, 3))),
    ("matrix_power", torch.linalg.matrix_power, matrix, {"n": 3}),
    ("pinv", torch.linalg.pinv, matrix),
    ("nuclear norm", torch.linalg.matrix_norm, spread_matrix, {"ord": "nuc"}),
)
