"""A factor for each slice: the sizes of parts, or numbers of which nothing is known."""

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from torchref.checker.causes.factor import one_dwarfs_the_others, proportion
from torchref.checker.causes.mismatch import Mismatch
from torchref.checker.execution.arithmetic import SAME

TELLING = 3  # entries of a slice, or slices: fewer are in proportion by chance
APART = 1e-3  # relative: factors no further apart are one
MOST = 0.5  # of the entries: where fewer are wrong, which they are says more
SHOWN = 3  # factors that are told
MOST_SLICES = 1000  # along one dimension, of which each has its factor


def size_of_parts(wrong: Mismatch) -> Iterator[str]:
    """Each slice is its own multiple of the true one: 1/size, or the size, of the part it is of."""
    for dim, factors in _factors_by_dimension(wrong):
        if told := _by_sizes_of_parts(factors, dim):
            yield told
            return


def factor_of_each_slice(wrong: Mismatch) -> Iterator[str]:
    """Each slice is its own multiple of the true one: no number in sight says which."""
    for dim, factors in _factors_by_dimension(wrong):
        entries = wrong.true.movedim(dim, 0).reshape(len(factors), -1).count_nonzero(dim=1)
        if bool((entries[~factors.isnan()] >= TELLING).all()):
            told = f"what belongs to each index along dimension {dim} is a multiple of the true one"
            yield f"{told}: {_listed(factors)}"
            return


def _factors_by_dimension(wrong: Mismatch) -> Iterator[tuple[int, Tensor]]:
    for dim in range(_dimensions(wrong)):
        factors = _factors(wrong, dim)
        if factors is not None:
            yield dim, factors


def _dimensions(wrong: Mismatch) -> int:
    fit = wrong.got.shape == wrong.true.shape and not wrong.true.is_complex()
    fit = fit and wrong.fraction > MOST and not one_dwarfs_the_others(wrong.true)
    return wrong.true.dim() if fit and bool(torch.isfinite(wrong.got).all()) else 0


def _factors(wrong: Mismatch, dim: int) -> Tensor | None:
    """The factor of each slice, NaN for those that are 0; None if one has none, or all the same."""
    if not 2 <= wrong.true.shape[dim] <= MOST_SLICES:
        return None
    found = []
    for got, true in zip(wrong.got.unbind(dim), wrong.true.unbind(dim), strict=True):
        factor = proportion(got, true, wrong.rounding)
        if factor is None and bool(got.any() or true.any()):
            return None
        found.append(math.nan if factor is None else factor)
    factors = torch.tensor(found, dtype=torch.float64, device="cpu")
    known = factors[~factors.isnan()]
    if len(known) < 2 or bool(((known - known[0]).abs() <= APART * known[0].abs()).all()):
        return None
    return factors


def _by_sizes_of_parts(factors: Tensor, dim: int) -> str:
    """Parts of one size and a shorter last one, with factors in proportion to 1/size, or to size.

    As of a mean over parts that divides by the size of the part in place of that of the whole.
    """
    groups = _runs(factors)
    if len(groups) != 2 or any(math.isnan(factor) for factor, _ in groups):
        return ""
    (first, whole), (last, rest) = groups
    for ratio, how in ((last / first, "inverse "), (first / last, "")):
        size = rest * ratio
        part = round(size)
        fits = part > rest and abs(size - part) < SAME * size and whole % part == 0
        if fits and not math.isclose(abs(first), 1):
            told = f"{_number(first)} times the true one at indices 0 … {whole - 1} along dimension"
            told += f" {dim}, and {_number(last)} times at the last {rest}: as the {how}sizes of "
            return f"{told}parts of {part} and a last one of {rest}"
    return ""


def _runs(factors: Tensor) -> list[tuple[float, int]]:
    """Neighbours of the same factor, and how many they are."""
    runs: list[tuple[float, int]] = []
    for factor in factors.tolist():
        if runs and math.isclose(runs[-1][0], factor, rel_tol=SAME):
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((factor, 1))
    return runs


def _listed(factors: Tensor) -> str:
    known: Sequence[tuple[int, float]] = [
        (place, factor) for place, factor in enumerate(factors.tolist()) if not math.isnan(factor)
    ]
    told = ", ".join(f"{_number(factor)} at {place}" for place, factor in known[:SHOWN])
    return f"{told} …" if len(known) > SHOWN else told


def _number(factor: float) -> str:
    return f"{factor:.6g}"
