"""Linear algebra, of matrices that are far from singular: where they are not, nothing is known."""

import torch
from torch import Generator, Tensor

from torchref.catalogue.entry import Entry, Inputs, normal
from torchref.ops import Cholesky, Inverse, LogDet, Solve

UNTRIED = {"vmap": "it is tried with entries turned round, which make no definite matrix"}


def regular(g: Generator, *shape: int) -> Tensor:
    """Matrices with singular values near 2."""
    return 2 * torch.eye(shape[-1], dtype=torch.float64) + normal(g, *shape) / 4


def positive_definite(g: Generator, *shape: int) -> Tensor:
    x = regular(g, *shape)
    return x @ x.mT


def inverse_twin(x: Tensor) -> Tensor:
    return torch.linalg.inv(x)


def solve_twin(weight: Tensor, x: Tensor, left: bool) -> Tensor:
    return torch.linalg.solve(weight, x, left=left)


def cholesky_twin(x: Tensor, upper: bool) -> Tensor:
    """Of the symmetric part: torch's own reads one triangle, whatever its gradient says."""
    return torch.linalg.cholesky((x + x.mT) / 2, upper=upper)


def log_det_twin(x: Tensor) -> Tensor:
    return torch.linalg.slogdet(x).logabsdet


def _regular_samples(g: Generator) -> tuple[Inputs, ...]:
    return ((regular(g, 2, 3, 3),), (regular(g, 5, 2, 4, 4),))


def _regular_tripping(g: Generator) -> tuple[Inputs, ...]:
    reflection = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    return (
        (regular(g, 3, 3),),
        (reflection,),  # of determinant −1, and with no pivot on its diagonal
        (1e10 * regular(g, 3, 3),),
        (1e-10 * regular(g, 3, 3),),
        (regular(g, 1, 1),),
        (regular(g, 0, 3, 3),),
        (regular(g, 2, 0, 0),),
        (regular(g, 3, 3).T,),
        (regular(g, 1, 3, 3).expand(2, 3, 3),),
    )


def _solve_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (regular(g, 2, 3, 3), normal(g, 2, 3, 4), True),
        (regular(g, 2, 3, 3), normal(g, 2, 4, 3), False),
        (regular(g, 5, 1, 3, 3), normal(g, 1, 2, 3, 4), True),
    )


def _solve_tripping(g: Generator) -> tuple[Inputs, ...]:
    return (
        (regular(g, 3, 3), normal(g, 3, 2), True),
        (regular(g, 3, 3), normal(g, 5, 2, 3), False),
        (1e10 * regular(g, 3, 3), normal(g, 3, 2), True),
        (regular(g, 1, 1), normal(g, 1, 1), False),
        (regular(g, 0, 3, 3), normal(g, 0, 3, 2), True),
        (regular(g, 3, 3), normal(g, 3, 0), True),
        (regular(g, 0, 0), normal(g, 2, 0), False),
        (regular(g, 3, 3).T, normal(g, 2, 3).T, True),
        (regular(g, 1, 3, 3).expand(2, 3, 3), normal(g, 1, 3).expand(2, 4, 3), False),
    )


def _cholesky_samples(g: Generator) -> tuple[Inputs, ...]:
    return ((positive_definite(g, 2, 3, 3), False), (positive_definite(g, 2, 4, 4), True))


def _cholesky_tripping(g: Generator) -> tuple[Inputs, ...]:
    return (
        (positive_definite(g, 3, 3), False),
        (positive_definite(g, 3, 3) + normal(g, 3, 3) / 4, True),  # not symmetric
        (1e10 * positive_definite(g, 3, 3), False),
        (1e-10 * positive_definite(g, 3, 3), True),
        (positive_definite(g, 1, 1), False),
        (positive_definite(g, 0, 3, 3), True),
        (positive_definite(g, 2, 0, 0), False),
        ((positive_definite(g, 3, 3) + normal(g, 3, 3) / 4).T, False),
        (positive_definite(g, 1, 3, 3).expand(2, 3, 3), False),
    )


ENTRIES = (
    Entry(Inverse, inverse_twin, _regular_samples, _regular_tripping),
    Entry(Solve, solve_twin, _solve_samples, _solve_tripping),
    Entry(Cholesky, cholesky_twin, _cholesky_samples, _cholesky_tripping, refuses=UNTRIED),
    Entry(LogDet, log_det_twin, _regular_samples, _regular_tripping),
)
