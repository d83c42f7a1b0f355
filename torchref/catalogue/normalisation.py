"""The normalisations: by moments, their own or given, by the root mean square, by a norm."""

import math

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from torchref.catalogue.entry import Entry, Inputs, chance, normal
from torchref.ops import FixedStandardisation, RMSNorm, Standardisation, UnitNorm

EPS = 1e-5
CONSTANT_ROWS = torch.tensor([[3.0] * 4, [0.0] * 4, [-0.5] * 4], dtype=torch.float64)


def scale_and_shift_twin(x_hat: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    y = x_hat if weight is None else x_hat * weight
    return y if bias is None else y + bias


def standardisation_twin(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, dims: tuple[int, ...], eps: float
) -> Tensor:
    """Composed: torch's layer norm is wrong at the third order, and in forward mode at the second.

    Its roundings would differ too, and equal rows make digits of them: they are divided by √ε.
    """
    centred = x - x.mean(dims, keepdim=True)
    sigma = (centred.square().mean(dims, keepdim=True) + eps).sqrt()
    return scale_and_shift_twin(centred / sigma, weight, bias)


def _standardisation_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 5, 7), normal(g, 7), normal(g, 7), (-1,), EPS),
        (normal(g, 2, 4, 3), normal(g, 4, 3), None, (-2, -1), 0.1),
        (normal(g, 5, 3, 4), normal(g, 3, 1), normal(g, 3, 1), (0, 2), EPS),
        (normal(g, 2, 3, 4, 5), normal(g, 3, 4, 1), normal(g, 3, 4, 1), (2, 3), EPS),
        (normal(g, 2, 3, 4), None, None, (2,), EPS),
    )


def _standardisation_tripping(g: Generator) -> tuple[Inputs, ...]:
    row = (normal(g, 4), normal(g, 4), (-1,), EPS)
    return (
        (CONSTANT_ROWS, *row),
        (1e3 + normal(g, 5, 4), *row),
        (1e-4 * normal(g, 5, 4), *row),
        (1e4 * normal(g, 5, 4), *row),
        (normal(g, 5, 1), normal(g, 1), normal(g, 1), (-1,), EPS),
        (normal(g, 0, 4), *row),
        (normal(g, 5, 0), normal(g, 0), normal(g, 0), (-1,), EPS),
        (normal(g, 0, 3, 4), normal(g, 3, 1), normal(g, 3, 1), (0, 2), EPS),
        (normal(g, 4, 5).T, normal(g, 8)[::2], normal(g, 1).expand(4), (-1,), EPS),
    )


def fixed_standardisation_twin(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
) -> Tensor:
    """Composed, because torch's batch norm gives no gradient for mean and variance."""
    return scale_and_shift_twin((x - mean) / (variance + eps).sqrt(), weight, bias)


def _fixed_standardisation_samples(g: Generator) -> tuple[Inputs, ...]:
    moments = normal(g, 3, 1), chance(g, 3, 1)
    return (
        (normal(g, 5, 4), normal(g, 4), chance(g, 4), normal(g, 4), normal(g, 4), EPS),
        (normal(g, 2, 3, 4), *moments, normal(g, 3, 1), normal(g, 3, 1), EPS),
        (normal(g, 2, 3, 4), *moments, normal(g, 3, 1), None, 0.1),
        (normal(g, 2, 3, 4), *moments, None, None, EPS),
    )


def _fixed_standardisation_tripping(g: Generator) -> tuple[Inputs, ...]:
    tiny, mean = 1e-9 * chance(g, 4), normal(g, 4)
    strided = normal(g, 8)[::2]
    return (
        (normal(g, 5, 4), mean, tiny, normal(g, 4), normal(g, 4), EPS),
        (1e3 + normal(g, 5, 4), 1e3 + mean, chance(g, 4), normal(g, 4), normal(g, 4), EPS),
        (normal(g, 1, 4), mean, chance(g, 4), None, normal(g, 4), EPS),
        (normal(g, 0, 4), mean, chance(g, 4), normal(g, 4), normal(g, 4), EPS),
        (normal(g, 4, 5).T, mean, chance(g, 4), strided, normal(g, 1).expand(4), EPS),
    )


def rms_norm_twin(x: Tensor, weight: Tensor | None, dims: tuple[int, ...], eps: float) -> Tensor:
    rms = (x.square().mean(dims, keepdim=True) + eps).sqrt()
    return scale_and_shift_twin(x / rms, weight, None)


def _rms_norm_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 5, 7), normal(g, 7), (-1,), EPS),
        (normal(g, 2, 4, 3), normal(g, 4, 3), (-2, -1), 0.1),
        (normal(g, 7), None, (-1,), EPS),
    )


def _rms_norm_tripping(g: Generator) -> tuple[Inputs, ...]:
    row = (normal(g, 4), (-1,), EPS)
    return (
        (CONSTANT_ROWS, *row),
        (1e-4 * normal(g, 5, 4), *row),
        (1e4 * normal(g, 5, 4), *row),
        (normal(g, 5, 1), normal(g, 1), (-1,), 0.1),
        (normal(g, 0, 4), *row),
        (normal(g, 5, 0), normal(g, 0), (-1,), EPS),
        (normal(g, 4, 5).T, normal(g, 8)[::2], (-1,), EPS),
    )


def unit_norm_twin(x: Tensor, p: float, dims: tuple[int, ...], eps: float) -> Tensor:
    return F.normalize(x, p, dims, eps)  # type: ignore[arg-type]  # it takes a tuple too


def _unit_norm_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 5, 7), 2.0, (-1,), 1e-12),
        (normal(g, 2, 4, 3), 2.0, (0, 1), 1.0),
        (normal(g, 5, 4), 1.0, (1,), 1e-12),
        (normal(g, 2, 4, 3), 3.0, (1,), 1e-12),
        (normal(g, 5, 4), 1.5, (0,), 1e-12),
        (normal(g, 5, 4), math.inf, (-1,), 1e-12),
    )


def _unit_norm_tripping(g: Generator) -> tuple[Inputs, ...]:
    with_zeros = torch.tensor([[0.0] * 3, [3.0, 0.0, -4.0], [0.0, 0.0, 1e-13]], dtype=torch.float64)
    return (
        *((with_zeros, p, (-1,), 1e-12) for p in (2.0, 1.0, 3.0, math.inf)),
        (torch.tensor([[2.0, -2.0, 1.0, 2.0]], dtype=torch.float64), math.inf, (1,), 1e-12),
        (1e4 * normal(g, 5, 4), 2.0, (-1,), 1e-12),
        (normal(g, 0, 4), 2.0, (-1,), 1e-12),
        (normal(g, 5, 0), 2.0, (-1,), 1e-12),
        (normal(g, 4, 5).T, 2.0, (-1,), 1e-12),
    )


ENTRIES = (
    Entry(
        Standardisation,
        standardisation_twin,
        _standardisation_samples,
        _standardisation_tripping,
    ),
    Entry(
        FixedStandardisation,
        fixed_standardisation_twin,
        _fixed_standardisation_samples,
        _fixed_standardisation_tripping,
    ),
    Entry(RMSNorm, rms_norm_twin, _rms_norm_samples, _rms_norm_tripping),
    Entry(UnitNorm, unit_norm_twin, _unit_norm_samples, _unit_norm_tripping),
)
