"""Every entry wrong by the same factor: a lost sign, a 2, a mean, a scalar argument."""

import math
from collections.abc import Iterator, Mapping
from itertools import islice

import torch
from torch import Tensor

from torchref.checker.causes.mismatch import Mismatch
from torchref.checker.execution.arithmetic import SAME
from torchref.checker.execution.numbers import dtype_name, told_apart

NEAR = 1e-6  # relative distance at which a factor is taken for a known number
CONSTANTS = {
    "the 2 of a square": 2.0,
    "π": math.pi,
    "√2": math.sqrt(2),
    "√π": math.sqrt(math.pi),
    "√(2π), as in a Gaussian": math.sqrt(2 * math.pi),
    "√(2/π)": math.sqrt(2 / math.pi),
    "2/√π, as in erf′": 2 / math.sqrt(math.pi),
    "ln 2, as of a logarithm to the base 2": math.log(2),
    "ln 10, as of a logarithm to the base 10": math.log(10),
    "π/180, as of degrees": math.pi / 180,
}
SIMPLE = [*CONSTANTS.values(), *(1 / number for number in CONSTANTS.values())]
DWARFED = 1e-6  # of the largest entry
ROUNDINGS = {torch.bfloat16: 4, torch.float16: 4, torch.float32: 64}  # within reach of a cast
LARGEST_EXPONENT = 100.0  # of a number whose exp a factor may be
NO_ORIGIN = "no number in sight"
FIVE_DIGITS = 1e-5  # relative to the largest entry
MOST = 0.5  # so many entries at least are wrong where digits are lost
LEADING = 0.1  # relative: an entry so far off has not even its first digit
PLAIN = ("{}", "1/({})")
MOST_ORIGINS = 3  # of a factor are told: 4 may be the size of everything


def negated(wrong: Mismatch) -> Iterator[tuple[str, Tensor]]:
    if not one_dwarfs_the_others(wrong.true):
        yield "every entry is −1 times the true one", -wrong.true


def one_factor(wrong: Mismatch) -> Iterator[str]:
    """got = r · true, with an r that comes of a number in sight, or of none."""
    ratio = common_factor(wrong)
    if ratio is None:
        return
    origin = told_origins(ratio, wrong.numbers)
    if origin or wrong.got.numel() > 1:  # one number is a multiple of any other
        factor, _ = told_apart(ratio, 1.0)
        yield f"every entry is {factor} times the true one: {origin or NO_ORIGIN}"


def common_factor(wrong: Mismatch) -> float | None:
    """The r other than 1 with got = r · true, if there is one."""
    ratio = proportion(wrong.got, wrong.true, wrong.rounding)
    if ratio is None or abs(ratio - 1) < NEAR or one_dwarfs_the_others(wrong.true):
        return None
    return ratio


def one_dwarfs_the_others(true: Tensor) -> bool:
    """Whether a factor says something of the largest entry only."""
    sizes = true.abs()
    return true.numel() > 1 and int((sizes > DWARFED * sizes.max()).sum()) == 1


def proportion(got: Tensor, true: Tensor, rounding: float = SAME) -> float | None:
    """The r with got = r · true in every entry, if there is one other than 0."""
    if got.shape != true.shape or not true.numel():
        return None
    size = float(true.abs().max())
    if size == 0 or not math.isfinite(size):
        return None
    scaled = true / size
    ratio = float((got / size * scaled.conj()).real.sum() / scaled.abs().square().sum())
    if ratio == 0 or float((got - ratio * true).abs().max()) > rounding * abs(ratio) * size:
        return None
    return ratio


def origins(ratio: float, numbers: Mapping[str, float], near: float = NEAR) -> Iterator[str]:
    """What a factor may be: a known number, its inverse, its square or its root, of either sign."""
    found: list[tuple[bool, str]] = []
    for what, number in {**CONSTANTS, **numbers}.items():
        if number in (0, 1) or not math.isfinite(number):
            continue
        for form, value in _forms(number):
            if form not in PLAIN and (what in CONSTANTS or _is_simple(value)):
                continue  # (√2)² is 2
            signs = (1,) if "−" in form else (1, -1)  # of a difference each sign has its own form
            sign = next((s for s in signs if abs(s * ratio / value - 1) < near), None)
            if sign is not None:
                told = form.format(what)
                found.append((form in PLAIN, told if sign > 0 else f"−{told}"))
                break
    plain = any(is_plain for is_plain, _ in found)
    # 0.1 is the argument 0.1, and hardly 2/20.
    yield from (origin for is_plain, origin in found if is_plain or not plain)


def _is_simple(value: float) -> bool:
    return any(math.isclose(abs(value), known) for known in SIMPLE)


def told_origins(ratio: float, numbers: Mapping[str, float]) -> str:
    """The first of the origins, as text; empty where there is none."""
    return "; ".join(islice(origins(ratio, numbers), MOST_ORIGINS))


def _forms(number: float) -> Iterator[tuple[str, float]]:
    """What a number becomes in a formula, with its sign."""
    yield "{}", number
    yield "1/({})", 1 / number
    yield "({})²", number**2
    yield "1/({})²", number**-2
    yield "2/({})", 2 / number
    if number > 0:
        yield "√({})", math.sqrt(number)
        yield "1/√({})", 1 / math.sqrt(number)
    less = 1 - number
    yield "1 − ({})", less
    yield "({}) − 1", -less
    yield "1/(1 − ({}))", 1 / less
    yield "1/(({}) − 1)", -1 / less
    yield "n/(n − 1) for n = {}", -number / less
    yield "(n − 1)/n for n = {}", -less / number
    if number % 1 and abs(number) < LARGEST_EXPONENT:
        yield "exp({})", math.exp(number)
        yield "1/exp({})", math.exp(-number)
        yield "{0} in place of its exp", number * math.exp(-number)
        yield "the exp of ({0}) in place of itself", math.exp(number) / number


def fewer_digits(wrong: Mismatch) -> Iterator[str]:
    """A gradient whose entries are all numbers of a lower precision."""
    if wrong.got.dtype != torch.float64 or not wrong.got.numel():
        return
    gap, size = (wrong.got - wrong.true).abs(), wrong.true.abs().max()
    for dtype, roundings in ROUNDINGS.items():
        exact = _is_held(wrong.got, dtype) and not _is_held(wrong.true, dtype)
        if exact and bool((gap <= roundings * torch.finfo(dtype).eps * size).all()):
            yield f"every entry is a {dtype_name(dtype)} number: it was cast"
            return
    error = float(gap.max() / size)
    if wrong.fraction < MOST and _first_digits_wrong(wrong):
        return
    ratio = proportion(wrong.got, wrong.true)
    if 0 < error < FIVE_DIGITS and (ratio is None or abs(ratio - 1) < NEAR):
        yield f"right to {error:.1e} of the largest entry only"


def _is_held(x: Tensor, dtype: torch.dtype) -> bool:
    return bool((x.to(dtype).double() == x).all())


def _first_digits_wrong(wrong: Mismatch) -> bool:
    """Whether the entries that are wrong are no rounding of what they should be."""
    got, true = wrong.got[wrong.wrong], wrong.true[wrong.wrong]
    return bool(((got - true).abs() > LEADING * true.abs()).all())


def all_zero(wrong: Mismatch) -> Iterator[str]:
    """Zeros where there is a gradient."""
    if wrong.got.numel() and not bool(wrong.got.any()):
        yield f"all entries are 0; the largest should be {float(wrong.true.abs().max()):.6g}"


def not_finite(wrong: Mismatch) -> Iterator[str]:
    bad = ~torch.isfinite(wrong.got.abs()) & torch.isfinite(wrong.true.abs())
    if bool(bad.any()):
        yield f"{int(bad.sum())} of {bad.numel()} entries are NaN or infinite"
