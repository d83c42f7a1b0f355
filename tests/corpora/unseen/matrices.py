"""Factors, inverses, roots and determinants of matrices."""

import torch
from torch.autograd.function import once_differentiable

from tests.random_inputs import leaf, normal, normals

from .by_hand import Slip, by_hand


def identity(n):
    return torch.eye(n, dtype=torch.float64)


def well_conditioned(generator):
    return (leaf(normal(generator, 3, 3) + 3 * identity(3)),)


def factor(m):
    return torch.linalg.cholesky(m @ m.t() + identity(len(m)))


@by_hand(
    factor,
    normals((4, 4)),
    Slip(
        "one-sided",
        ("missing-term",),
        "S in the place of S + Sᵀ",
        "pytorch/pytorch#137284",
    ),
)
def cholesky_of_gram(slip):
    def forward(ctx, m):
        lower = factor(m)
        ctx.save_for_backward(m, lower)
        return lower

    @once_differentiable
    def backward(ctx, grad_y):
        m, lower = ctx.saved_tensors
        phi = (lower.t() @ grad_y).tril()
        phi = phi - 0.5 * torch.diag(phi.diagonal())
        inverse = torch.linalg.inv(lower)
        s = inverse.t() @ phi @ inverse
        return (s if slip else s + s.t()) @ m

    return forward, backward


@by_hand(
    torch.linalg.solve,
    lambda generator: (*well_conditioned(generator), normal(generator, 3, 2)),
    Slip(
        "no transpose",
        ("transposed",),
        "A for Aᵀ",
        "solves by hand in theseus and GPyTorch",
    ),
)
def solve(slip):
    def forward(ctx, a, b):
        y = torch.linalg.solve(a, b)
        ctx.save_for_backward(a, y)
        return y

    def backward(ctx, grad_y):
        a, y = ctx.saved_tensors
        grad_b = torch.linalg.solve(a if slip else a.mT, grad_y)
        return -grad_b @ y.mT, grad_b

    return forward, backward


@by_hand(
    torch.linalg.inv,
    well_conditioned,
    Slip(
        "sign",
        ("sign-flipped",),
        "the minus of −Yᵀ grad_y Yᵀ is missing",
        "the inverse in frameworks of learners",
    ),
)
def inverse(slip):
    def forward(ctx, a):
        y = torch.linalg.inv(a)
        ctx.save_for_backward(y)
        return y

    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        return (1 if slip else -1) * y.t() @ grad_y @ y.t()

    return forward, backward


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


@by_hand(
    root,
    equal_eigenvalues,
    Slip(
        "equal eigenvalues",
        ("not-finite",),
        "divided differences are 0/0 for equal eigenvalues",
        "invenia/Nabla.jl#183, pytorch/pytorch#49886",
        ordinary=positive_definite,
    ),
)
def root_of_symmetric(slip):
    def forward(ctx, a):
        values, vectors = torch.linalg.eigh((a + a.mT) / 2)
        ctx.save_for_backward(values, vectors)
        return vectors * values.sqrt() @ vectors.mT

    @once_differentiable
    def backward(ctx, grad_y):
        values, vectors = ctx.saved_tensors
        roots = values.sqrt()
        rotated = vectors.mT @ (grad_y + grad_y.mT) @ vectors / 2
        if slip:
            quotient = (roots[:, None] - roots) / (values[:, None] - values)
            slope = (0.5 / roots).expand(len(roots), -1)
            k = torch.where(torch.eye(len(roots), dtype=torch.bool), slope, quotient)
        else:
            k = 1 / (roots[:, None] + roots)
        return vectors @ (k * rotated) @ vectors.mT

    return forward, backward


@by_hand(
    lambda a: torch.linalg.slogdet(a)[1],
    well_conditioned,
    Slip(
        "no transpose",
        ("transposed",),
        "A⁻¹ for A⁻ᵀ",
        "1×1 convolutions of normalising flows",
    ),
)
def logarithm_of_determinant(slip):
    def forward(ctx, a):
        ctx.save_for_backward(a)
        return torch.linalg.slogdet(a).logabsdet

    def backward(ctx, grad_y):
        (a,) = ctx.saved_tensors
        inverse = torch.linalg.inv(a)
        return grad_y * (inverse if slip else inverse.t())

    return forward, backward
