"""A factor for each slice: counts of an index, sizes of parts, norms of rows, a vector in sight."""

import math
from collections.abc import Callable, Iterator, Sequence

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
POWERS: dict[str, Callable[[Tensor], Tensor]] = {
    "{}": lambda v: v,
    "1/({})": lambda v: 1 / v,
    "√({})": torch.sqrt,
    "1/√({})": torch.rsqrt,
    "({})²": torch.square,
    "1/({})²": lambda v: 1 / v**2,
    "exp({})": torch.exp,
    "1/exp({})": lambda v: torch.exp(-v),
}


def count_of_each_slice(wrong: Mismatch) -> Iterator[str]:
    """Each slice is its own multiple of the true one: how often an index names it."""
    yield from _by_vector(wrong, _counts)


def value_of_each_slice(wrong: Mismatch) -> Iterator[str]:
    """Each slice is its own multiple of the true one: an entry of an argument, or a norm."""
    yield from _by_vector(wrong, _values)


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


def _by_vector(
    wrong: Mismatch, vectors: Callable[[Mismatch, int], Iterator[tuple[str, Tensor]]]
) -> Iterator[str]:
    for dim, factors in _factors_by_dimension(wrong):
        known = ~torch.isnan(factors)
        for what, vector in vectors(wrong, dim):
            for form, power in POWERS.items():
                k = _multiple(factors[known], power(vector)[known])
                if k is not None:
                    told = f"what belongs to each index along dimension {dim} is "
                    told += f"{form.format(what)} times the true one{_beside(k)}"
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


def _counts(wrong: Mismatch, dim: int) -> Iterator[tuple[str, Tensor]]:
    """What an index says of each place along a dimension."""
    size = wrong.true.shape[dim]
    for name, index in wrong.indices.items():
        inside = index[(index >= 0) & (index < size)]
        if index.dim() and len(inside):
            counts = torch.bincount(inside.reshape(-1).long(), minlength=size).double()
            yield f"how often {name} names it", counts
        if index.shape == (size,) and not bool((index < 0).any()):
            counts = torch.bincount(index)[index].double()
            yield f"how often {name} holds its entry there", counts
            yield f"{name} there", index.double()


def _values(wrong: Mismatch, dim: int) -> Iterator[tuple[str, Tensor]]:
    """Arguments of one dimension, and norms of rows; along the last one see local_derivative.py."""
    size = wrong.true.shape[dim]
    for name, value in wrong.values.items() if dim < wrong.true.dim() - 1 else ():
        if value.is_complex():
            continue
        if value.dim() == 1 and value.shape == (size,):
            yield f"{name} there", value.double()
        elif value.dim() > 1 and value.shape[:1] == (size,) and dim == 0:
            yield f"the norm of {name} there", value.double().flatten(1).norm(dim=1)


def _multiple(factors: Tensor, vector: Tensor) -> float | None:
    """The k with factor = k · vector in each place, if enough of them differ to say so."""
    usable = bool(torch.isfinite(vector).all() and (vector != 0).all())
    if len(factors) < TELLING or not usable:
        return None
    ratios = factors / vector
    k = float(ratios.mean())
    return k if float((ratios - k).abs().max()) <= SAME * abs(k) else None


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


def _beside(k: float) -> str:
    return "" if abs(k - 1) < SAME else f", and {k:.6g} times that"
