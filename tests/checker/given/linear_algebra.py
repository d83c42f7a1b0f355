"""Linear algebra by hand, right and with one mistake: what has no answer at singular matrices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor, linalg

from tests.corpora.wrong_ops.rule import Rule, gradients_of

RIGHT = ""


@dataclass(frozen=True)
class ByHand:
    """`gradients(slip, grad_y, *inputs)` is right for no slip, and wrong for each of `slips`."""

    name: str
    forward: Callable[..., Any]
    gradients: Callable[..., Any]
    reference: Callable[..., Any]
    inputs: Callable[[Generator], tuple[Tensor, ...]]
    slips: tuple[str, ...]

    def rule(self, slip: str = RIGHT) -> type[Rule]:
        @gradients_of(self.forward)
        def Solved(*grads_and_inputs: Tensor) -> Any:
            return self.gradients(slip, *grads_and_inputs)

        return Solved


BY_HAND: list[ByHand] = []


def by_hand(
    forward: Callable[..., Any],
    reference: Callable[..., Any],
    inputs: Callable[[Generator], tuple[Tensor, ...]],
    *slips: str,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def keep(gradients: Callable[..., Any]) -> Callable[..., Any]:
        name = gradients.__name__.replace("_", " ")
        BY_HAND.append(ByHand(name, forward, gradients, reference, inputs, slips))
        return gradients

    return keep


def drawn(generator: Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def drawn_each(*draws: Callable[[Generator], Tensor]) -> Callable[[Generator], tuple[Tensor, ...]]:
    return lambda generator: tuple(draw(generator) for draw in draws)


def of_shape(*shape: int) -> Callable[[Generator], Tensor]:
    return lambda generator: drawn(generator, *shape)


def square(generator: Generator) -> Tensor:
    return drawn(generator, 4, 4) + 4 * torch.eye(4, dtype=torch.float64)


def positive(generator: Generator) -> Tensor:
    a = drawn(generator, 4, 4)
    return a @ a.mT + torch.eye(4, dtype=torch.float64)


A_SQUARE, A_POSITIVE = drawn_each(square), drawn_each(positive)
A_TALL, A_WIDE = drawn_each(of_shape(6, 3)), drawn_each(of_shape(3, 6))
SQUARE_AND_COLUMNS = drawn_each(square, of_shape(4, 3))
POSITIVE_AND_VECTOR = drawn_each(positive, of_shape(4))
TALL_AND_VECTOR = drawn_each(of_shape(6, 3), of_shape(6))


def symmetric(a: Tensor) -> Tensor:
    return (a + a.mT) / 2


def factor(slip: str) -> float:
    return 1.1 if slip == "factor" else 1.0


def transposed(slip: str, a: Tensor) -> Tensor:
    """Aᵀ, as it should be, or A."""
    return a if slip == "transposed" else a.mT


def symmetrised(slip: str, a: Tensor) -> Tensor:
    return a if slip == "no symmetrisation" else symmetric(a)


@by_hand(
    lambda a, b: linalg.solve(a, b),
    lambda a, b: linalg.inv(a) @ b,
    SQUARE_AND_COLUMNS,
    "transposed",
    "factor",
)
def solution(slip, grad_y, a, b):
    grad_b = linalg.solve(transposed(slip, a), grad_y)
    return -factor(slip) * grad_b @ linalg.solve(a, b).mT, grad_b


@by_hand(lambda a: linalg.inv(a), torch.inverse, A_SQUARE, "transposed", "factor")
def inverse(slip, grad_y, a):
    y = transposed(slip, linalg.inv(a))
    return -factor(slip) * y @ grad_y @ y


@by_hand(lambda a: linalg.det(a), torch.det, A_SQUARE, "transposed", "factor")
def determinant(slip, grad_y, a):
    inverse = linalg.inv(a)
    return factor(slip) * grad_y * linalg.det(a) * transposed(slip, inverse)


@by_hand(
    lambda a: linalg.slogdet(a).logabsdet,
    lambda a: linalg.det(a).abs().log(),
    A_SQUARE,
    "transposed",
    "factor",
)
def logarithm_of_the_determinant(slip, grad_y, a):
    return factor(slip) * grad_y * transposed(slip, linalg.inv(a))


@by_hand(
    lambda a: torch.logdet(a @ a.mT), lambda a: linalg.slogdet(a @ a.mT).logabsdet, A_WIDE, "factor"
)
def logarithm_of_a_gram_determinant(slip, grad_y, a):
    return 2 * factor(slip) * grad_y * linalg.inv(a @ a.mT) @ a


@by_hand(
    lambda p: linalg.cholesky(symmetric(p)),
    lambda p: linalg.cholesky(symmetric(p).mT, upper=True).mT,
    A_POSITIVE,
    "no symmetrisation",
    "factor",
)
def cholesky_factor(slip, grad_y, p):
    lower = linalg.cholesky(symmetric(p))
    half = (lower.mT @ grad_y).tril()
    half = half - half.diagonal().diag() / 2
    inverse = linalg.inv(lower)
    return factor(slip) * symmetrised(slip, inverse.mT @ half @ inverse)


@by_hand(
    lambda a: tuple(linalg.qr(a)), lambda a: tuple(linalg.qr(a)), A_TALL, "transposed", "factor"
)
def orthogonal_and_triangular(slip, grad_q, grad_r, a):
    q, r = linalg.qr(a)
    m = r @ grad_r.mT - grad_q.mT @ q
    m = transposed(slip, m.tril(-1)) + m.tril()
    return factor(slip) * linalg.solve(r, (grad_q + q @ m).mT).mT


def leading_projector(a: Tensor) -> Tensor:
    v = linalg.eigh(symmetric(a)).eigenvectors[:, -1]
    return torch.outer(v, v)


@by_hand(leading_projector, leading_projector, A_POSITIVE, "no symmetrisation", "factor")
def projector_on_the_leading_eigenvector(slip, grad_y, a):
    values, vectors = linalg.eigh(symmetric(a))
    v, others = vectors[:, -1], vectors[:, :-1]
    weights = (others.mT @ (grad_y + grad_y.mT) @ v) / (values[-1] - values[:-1])
    return factor(slip) * symmetrised(slip, torch.outer(others @ weights, v))


@by_hand(
    lambda a: linalg.svdvals(a), lambda a: linalg.svd(a, full_matrices=False).S, A_TALL, "factor"
)
def singular_values(slip, grad_y, a):
    u, _, v = linalg.svd(a, full_matrices=False)
    return factor(slip) * (u * grad_y) @ v


def by_normal_equations(a: Tensor, b: Tensor) -> Tensor:
    return linalg.solve(a.mT @ a, a.mT @ b)


@by_hand(
    by_normal_equations,
    lambda a, b: linalg.inv(a.mT @ a) @ a.mT @ b,
    TALL_AND_VECTOR,
    "factor",
    "residual",
)
def least_squares(slip, grad_y, a, b):
    x = by_normal_equations(a, b)
    w = linalg.solve(a.mT @ a, grad_y)
    residual = 0 if slip == "residual" else torch.outer(b - a @ x, w)
    return factor(slip) * (residual - torch.outer(a @ w, x)), a @ w


def by_inverse(a: Tensor) -> Tensor:
    return linalg.inv(a.mT @ a) @ a.mT


@by_hand(by_inverse, lambda a: linalg.solve(a.mT @ a, a.mT), A_TALL, "factor", "residual")
def pseudoinverse(slip, grad_y, a):
    y = by_inverse(a)
    rest = torch.eye(len(a), dtype=a.dtype) - a @ y
    residual = 0 if slip == "residual" else rest @ grad_y.mT @ linalg.inv(a.mT @ a)
    return factor(slip) * (residual - y.mT @ grad_y @ y.mT)


@by_hand(
    lambda p, q: linalg.solve(symmetric(p), q),
    lambda p, q: linalg.inv(symmetric(p)) @ q,
    POSITIVE_AND_VECTOR,
    "no symmetrisation",
    "factor",
)
def solution_of_a_symmetrised_system(slip, grad_y, p, q):
    x, v = linalg.solve(symmetric(p), torch.stack([q, grad_y], 1)).unbind(1)
    return factor(slip) * symmetrised(slip, -torch.outer(v, x)), v


@by_hand(
    lambda p, b: b @ linalg.solve(symmetric(p), b),
    lambda p, b: (
        linalg.solve_triangular(linalg.cholesky(symmetric(p)), b[:, None], upper=False)
        .square()
        .sum()
    ),
    POSITIVE_AND_VECTOR,
    "factor",
)
def distance_of_mahalanobis(slip, grad_y, p, b):
    x = linalg.solve(symmetric(p), b)
    return -factor(slip) * grad_y * torch.outer(x, x), 2 * grad_y * x


@by_hand(
    lambda a, b: linalg.solve_triangular(a.tril(), b, upper=False),
    lambda a, b: linalg.solve(a.tril(), b),
    SQUARE_AND_COLUMNS,
    "no mask",
    "factor",
)
def solution_of_a_triangular_system(slip, grad_y, a, b):
    y = linalg.solve_triangular(a.tril(), b, upper=False)
    grad_b = linalg.solve_triangular(a.tril().mT, grad_y, upper=True)
    grad_a = -factor(slip) * grad_b @ y.mT
    return (grad_a if slip == "no mask" else grad_a.tril()), grad_b
