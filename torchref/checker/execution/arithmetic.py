"""Sizes, machine precision, and equality up to rounding.

Three equalities, from the strictest: `identical` bit for bit, `agree` up to the order of sums,
entry by entry, and `same` up to the digits that another formula loses, over the whole tensor.
"""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Generator, Tensor

TINY, HUGE = 1e-140, 1e140  # between them squares neither vanish nor overflow
DOUBLE = 1e-15  # the machine epsilon of float64, and a little more
ORDER = 256.0  # roundings by which another order of summation may differ
SAME = 1e-6  # relative: two ways to write the same number agree far better, chance far worse
FEW_BITS, MOSTLY = 5, 0.5  # half of the numbers of 16 bits, and more, need more digits than these


def is_floating(leaf: Any) -> bool:
    """Whether it is a tensor of real or complex numbers that has a precision."""
    return isinstance(leaf, Tensor) and (leaf.is_floating_point() or leaf.is_complex())


def is_differentiable(leaf: Any) -> bool:
    """Whether it has a gradient to check: of a sparse tensor the places are data, not numbers."""
    return is_floating(leaf) and leaf.layout is torch.strided


def quantum(dtype: torch.dtype) -> float:
    """The smallest number above 0 that a dtype has: between two of them nothing is rounding."""
    information = torch.finfo(dtype)
    return information.smallest_normal * information.eps


def precision(tensors: Iterable[Tensor]) -> float:
    """The coarsest machine epsilon among floating-point tensors."""
    return max(
        (torch.finfo(x.dtype).eps for x in tensors if is_differentiable(x)),
        default=torch.finfo(torch.float64).eps,
    )


def are_finite(tensors: Iterable[Tensor]) -> bool:
    """Whether no entry is NaN or infinite."""
    return all(bool(torch.isfinite(x).all()) for x in tensors)


def largest_size(x: Tensor) -> float:
    """The largest magnitude among the entries; 0 for no entries."""
    return float(x.abs().max()) if x.numel() else 0.0


def typical_size(x: Tensor) -> float:
    """The root mean square of the finite entries; 0 for zeros and for no entries."""
    if not x.numel():
        return 0.0
    values = x.detach().to(torch.complex128 if x.is_complex() else torch.float64)
    size = float(torch.linalg.vector_norm(values)) / math.sqrt(x.numel())
    if TINY < size < HUGE:
        return size
    magnitudes = values.abs()
    finite = magnitudes[torch.isfinite(magnitudes)]  # and scaled, lest the squares leave the range
    peak = float(finite.max()) if finite.numel() else 0.0
    return peak * float((finite / peak).square().mean().sqrt()) if peak > 0 else 0.0


def entry_sizes(x: Tensor) -> Tensor:
    """|x| and the typical size, entry by entry, without infinities: the unit of an error."""
    sizes = torch.where(torch.isfinite(x), x.abs(), 0).to(torch.float64)
    return sizes + typical_size(x)


def norm(tensors: Iterable[Tensor]) -> float:
    """√Σ |x|² over all entries of all of them, in double precision."""
    return math.hypot(*(float(torch.linalg.vector_norm(x, dtype=_double(x))) for x in tensors))


def _double(x: Tensor) -> torch.dtype:
    return torch.complex128 if x.is_complex() else torch.float64


def inner(a: Tensor, b: Tensor) -> float:
    """Re Σ ā b: how far a moves along b, for real and complex tensors alike."""
    if a.is_complex():
        a, b = torch.view_as_real(a.resolve_conj()), torch.view_as_real(b.resolve_conj())
    return float((a.double() * b.double()).sum())


def draw_signed(like: Tensor, generator: Generator) -> Tensor:
    """Entries ±m with m uniform in [½, 1½], so that no entry counts for nothing."""
    if like.is_complex():
        parts = draw_signed(torch.view_as_real(like.detach().resolve_conj()), generator)
        return torch.view_as_complex(parts.contiguous())
    uniform = torch.empty(like.shape, dtype=torch.float64, device="cpu").uniform_(
        -1, 1, generator=generator
    )
    signed = uniform.add_(uniform.sign(), alpha=0.5)
    return signed.to(device=like.device, dtype=like.dtype)


def identical(a: Tensor, b: Tensor) -> bool:
    """Bit for bit, up to the sign of zero: then there is no error to weigh. NaN never is."""
    return a.dtype == b.dtype and a.device == b.device and torch.equal(a, b)


def agree(a: Tensor | None, b: Tensor | None, floor: float = 0.0, relative: float = 0.0) -> bool:
    """Equal up to rounding, relative to the typical entry; NaN and infinity equal themselves.

    `floor` is what rounding makes of a gradient that is 0, `relative` a coarser tolerance.
    """
    if a is None or b is None:
        other = a if b is None else b
        return other is None or not bool((other.abs() > floor).any())
    if a.shape != b.shape:
        return False
    size = max(typical_size(a), typical_size(b))
    relative = max(relative, ORDER * precision([a, b]))
    allowed = floor + relative * (torch.nan_to_num(b.abs().double(), 0, 0, 0) + size)
    near = (a - b).abs() <= allowed
    return bool((near | (a == b) | (torch.isnan(a) & torch.isnan(b))).all())


def same(a: Tensor, b: Tensor, rounding: float = SAME) -> bool:
    """Whether two tensors agree up to rounding, relative to their largest entry."""
    if a.shape != b.shape or not a.numel():
        return False
    size = float(torch.maximum(a.abs().max(), b.abs().max()))
    return 0 < size < math.inf and float((a - b).abs().max()) <= rounding * size


def held_in_double(x: Tensor) -> bool:
    """Whether double precision holds nothing but single-precision numbers.

    Numbers that 16 bits would hold as well, as 0, 1 and ½, tell nothing.
    """
    if x.dtype not in (torch.float64, torch.complex128):
        return False
    parts = torch.view_as_real(x) if x.is_complex() else x
    if not bool((parts == parts.float()).all()):
        return False
    return not bool(((parts == parts.half()) | (parts == parts.bfloat16())).all())


def held_in_16_bits(x: Tensor) -> bool:
    """Whether these are numbers of 16 bits, whatever the dtype that holds them.

    Steps of some width, as a rounding to integers leaves them, need fewer digits than that.
    """
    if not x.is_floating_point() or not x.numel():
        return False
    if torch.finfo(x.dtype).bits == 16:
        return True
    if not any(bool((x == x.to(dtype)).all()) for dtype in (torch.float16, torch.bfloat16)):
        return False
    digits = torch.frexp(x).mantissa * 2**FEW_BITS
    return float((digits != digits.round()).double().mean()) > MOSTLY


def is_freed(x: Tensor) -> bool:
    """Whether its memory was given back: to read it would end the process."""
    return x.layout is torch.strided and x.numel() > 0 and not x.untyped_storage().size()
