"""Factors, inverses, roots and determinants of matrices."""

import torch

from tests.random_inputs import leaf, normal, normals

from .by_hand import backward_of, wrong


def identity(n):
    return torch.eye(n, dtype=torch.float64)


def well_conditioned(generator):
    return (leaf(normal(generator, 3, 3) + 3 * identity(3)),)


def factor(m):
    return torch.linalg.cholesky(m @ m.t() + identity(len(m)))


@wrong("one-sided", ("missing-term",), "S in the place of S + Sᵀ", "pytorch/pytorch#137284")
@backward_of(factor, normals((4, 4)), once=True)
def cholesky_of_gram(slip, grad_y, m, y):
    phi = (y.t() @ grad_y).tril()
    phi = phi - 0.5 * torch.diag(phi.diagonal())
    inverse = torch.linalg.inv(y)
    s = inverse.t() @ phi @ inverse
    return (s if slip else s + s.t()) @ m


@wrong("no transpose", ("transposed",), "A for Aᵀ", "solves by hand in theseus and GPyTorch")
@backward_of(
    torch.linalg.solve,
    lambda generator: (*well_conditioned(generator), normal(generator, 3, 2)),
    forward=lambda a, b: torch.linalg.solve(a, b),
)
def solve(slip, grad_y, a, y):
    grad_b = torch.linalg.solve(a if slip else a.mT, grad_y)
    return -grad_b @ y.mT, grad_b


@wrong(
    "sign",
    ("sign-flipped",),
    "the minus of −Yᵀ grad_y Yᵀ is missing",
    "the inverse in frameworks of learners",
)
@backward_of(torch.linalg.inv, well_conditioned, forward=lambda a: torch.linalg.inv(a))
def inverse(slip, grad_y, y):
    return (1 if slip else -1) * y.t() @ grad_y @ y.t()


def root(a):
    """By Denman and Beavers's iteration; what has no root is refused."""
    symmetric = (a + a.mT) / 2
    torch.linalg.cholesky(symmetric.detach())
    y, z = symmetric, identity(len(a))
    for _ in range(40):
        y, z = (y + torch.linalg.inv(z)) / 2, (z + torch.linalg.inv(y)) / 2
    return y


def positive_definite(generator):
    m = normal(generator, 4, 4)
    return (leaf(m @ m.t() / 4 + identity(4)),)


def equal_eigenvalues(_):
    return (leaf(torch.diag(torch.tensor([1.0, 2.0, 2.0, 5.0], dtype=torch.float64))),)


def root_of_symmetric_forward(a):
    values, vectors = torch.linalg.eigh((a + a.mT) / 2)
    return vectors * values.sqrt() @ vectors.mT, {"values": values, "vectors": vectors}


@wrong(
    "equal eigenvalues",
    ("not-finite",),
    "divided differences are 0/0 for equal eigenvalues",
    "invenia/Nabla.jl#183, pytorch/pytorch#49886",
    ordinary=positive_definite,
)
@backward_of(root, equal_eigenvalues, forward=root_of_symmetric_forward, once=True)
def root_of_symmetric(slip, grad_y, values, vectors):
    roots = values.sqrt()
    rotated = vectors.mT @ (grad_y + grad_y.mT) @ vectors / 2
    if slip:
        quotient = (roots[:, None] - roots) / (values[:, None] - values)
        slope = (0.5 / roots).expand(len(roots), -1)
        k = torch.where(torch.eye(len(roots), dtype=torch.bool), slope, quotient)
    else:
        k = 1 / (roots[:, None] + roots)
    return vectors @ (k * rotated) @ vectors.mT


@wrong("no transpose", ("transposed",), "A⁻¹ for A⁻ᵀ", "1×1 convolutions of normalising flows")
@backward_of(lambda a: torch.linalg.slogdet(a).logabsdet, well_conditioned)
def logarithm_of_determinant(slip, grad_y, a):
    inverse = torch.linalg.inv(a)
    return grad_y * (inverse if slip else inverse.t())
