"""The right numbers in the wrong place: transposed, flipped, shifted, exchanged, conjugated."""

from collections.abc import Iterator
from itertools import combinations, permutations

import torch
from torch import Tensor

from torchref.checker.causes.mismatch import Mismatch
from torchref.checker.execution.arithmetic import same

TELLING = 4  # different entries other than 0: fewer are in another order by chance
MOST_DIMENSIONS = 5  # of which every subset is tried
MOST_ELEMENTS = 1_000_000  # above which every order takes long to try
LOOKED_AT = 4096  # entries, whether they differ
MOST_BLOCKS = 16  # of equal size, which may stand in another order

Prediction = tuple[str, Tensor]


def of_another_argument(wrong: Mismatch) -> Iterator[Prediction]:
    for name, true in wrong.others.items():
        if same(wrong.claims[name], wrong.true, wrong.rounding):
            both = " and ".join(sorted((wrong.name, name)))
            yield f"{both} hold each other's true gradient", true


def conjugated(wrong: Mismatch) -> Iterator[Prediction]:
    """Torch's gradient is ∂L/∂Re + i ∂L/∂Im; elsewhere its conjugate goes by the same name."""
    if wrong.true.is_complex():
        told = "it is the complex conjugate: its imaginary part is negated"
        yield told, wrong.true.conj().resolve_conj()


def permuted(wrong: Mismatch) -> Iterator[Prediction]:
    """Two or more dimensions exchanged, or the entries read in that order."""
    true = wrong.true
    if 2 <= true.dim() <= MOST_DIMENSIONS:
        for order in list(permutations(range(true.dim())))[1:]:
            turned = true.permute(order)
            yield f"it equals the true gradient permuted by {order}", turned
            yield "it holds the true entries, transposed in memory", turned.reshape(true.shape)


def flipped(wrong: Mismatch) -> Iterator[Prediction]:
    """As of a kernel that a convolution takes for that of a correlation."""
    true = wrong.true
    if not _has_an_order(true) or true.dim() > MOST_DIMENSIONS:
        return
    long = [dim for dim in range(true.dim()) if true.shape[dim] > 1]
    for count in range(1, len(long) + 1):
        for dims in combinations(long, count):
            told = f"dimension{'s' if count > 1 else ''} {_and(dims)}"
            yield f"it is the true gradient, flipped along {told}", true.flip(dims)
    for plane in combinations(long, 2):
        if true.shape[plane[0]] == true.shape[plane[1]]:
            for quarters, angle in ((1, "90°"), (3, "270°")):
                told = f"turned by {angle} in the plane of dimensions {plane[0]} and {plane[1]}"
                yield f"it is the true gradient, {told}", true.rot90(quarters, plane)


def rolled(wrong: Mismatch) -> Iterator[str]:
    """All entries moved around the end of several dimensions; the largest one shows how far."""
    got, true = wrong.got, wrong.true
    if not _tells(wrong):
        return
    at, meant = (torch.unravel_index(x.abs().argmax(), x.shape) for x in (got, true))
    by = tuple(int(i) - int(j) for i, j in zip(at, meant, strict=True))
    moved = [_nearer(b, size) for b, size in zip(by, true.shape, strict=True)]
    told = ", ".join(f"{b:+d} along dimension {dim}" for dim, b in enumerate(moved) if b)
    if same(got, true.roll(by, tuple(range(true.dim()))), wrong.rounding):
        yield f"it holds the true entries, each {told}, around the end"


def parts_exchanged(wrong: Mismatch) -> Iterator[str]:
    """Equal parts along one dimension in another order, as where two gates are exchanged."""
    yield from (told for cause, told in _reordered(wrong) if cause == "parts")


def slices_reordered(wrong: Mismatch) -> Iterator[str]:
    """The true slices along one dimension in an order that has no simpler name."""
    yield from (told for cause, told in _reordered(wrong) if cause == "slices")


def shuffled(wrong: Mismatch) -> Iterator[str]:
    """The true entries, all of them, in an order of which nothing simple can be said."""
    if _tells(wrong) and not wrong.true.is_complex():
        got, true = (x.reshape(-1).sort().values for x in (wrong.got, wrong.true))
        if same(got, true, wrong.rounding):
            yield "it holds the true entries, in another order"


def _reordered(wrong: Mismatch) -> Iterator[tuple[str, str]]:
    for dim in range(wrong.true.dim()) if _tells(wrong) else ():
        order = _order_of_slices(wrong, dim)
        if order is not None:
            yield _told_order(order, dim)
            return


def _and(dims: tuple[int, ...]) -> str:
    return " and ".join(map(str, dims))


def _nearer(by: int, size: int) -> int:
    """The shorter way around."""
    by %= size
    return by if by <= size / 2 else by - size


def _has_an_order(x: Tensor) -> bool:
    """Whether enough entries differ to say in which order they stand."""
    finite = x.numel() <= MOST_ELEMENTS and bool(torch.isfinite(x.abs()).all())
    return finite and _distinct(x) >= TELLING


def _tells(wrong: Mismatch) -> bool:
    """Whether both gradients have an order, and not the same."""
    got, true = wrong.got, wrong.true
    if got.shape != true.shape or same(got, true, wrong.rounding):
        return False
    return bool(torch.isfinite(got.abs()).all()) and _has_an_order(true)


def _distinct(x: Tensor) -> int:
    """How many different entries there are, other than 0; of very many some are looked at."""
    entries = x[x != 0][:LOOKED_AT]
    return int(entries.abs().unique().numel()) if entries.is_complex() else len(entries.unique())


def _order_of_slices(wrong: Mismatch, dim: int) -> list[int] | None:
    """Which slice of the true gradient stands in each place, if each is one of them."""
    size = wrong.true.shape[dim]
    got, true = (x.movedim(dim, 0).reshape(size, -1) for x in (wrong.got, wrong.true))
    if len(true) < 2:
        return None
    mixed = [_mixed(x) for x in (got, true)]
    places, sources = (x.argsort(stable=True) for x in mixed)
    order = torch.empty_like(places)
    order[places] = sources
    return order.tolist() if same(got, true[order], wrong.rounding) else None


def _mixed(slices: Tensor) -> Tensor:
    """One number for each slice, by which equal slices find each other."""
    real = torch.view_as_real(slices).flatten(1) if slices.is_complex() else slices
    weights = torch.rand(
        real.shape[1], generator=torch.Generator().manual_seed(0), device="cpu"
    ).to(real)
    return real @ (weights + 0.5)


def _told_order(order: list[int], dim: int) -> tuple[str, str]:
    """Whether parts or single slices have moved, and how."""
    size = len(order)
    by = (-order[0]) % size
    if order == [(place - by) % size for place in range(size)] and size != 2 * by:
        near = f"{_nearer(by, size):+d}"
        around = f"it holds the true entries, each {near} along dimension {dim}, around the end"
        return "slices", around
    for count in range(2, min(size // 2, MOST_BLOCKS) + 1):
        blocks = _order_of_blocks(order, count)
        if blocks is not None:
            told = ", ".join(str(block + 1) for block in blocks)
            parts = f"its {count} parts along dimension {dim} are those of the true one in the"
            return "parts", f"{parts} order {told}"
    moved = [place for place in range(size) if order[place] != place]
    if len(moved) == 2:
        told = f"{moved[0]} and {moved[1]} along dimension {dim} stand in each other's place"
        return "parts", f"what belongs to index {told}"
    first = ", ".join(f"{order[place]} at {place}" for place in moved[:3])
    told = f"it holds the true slices along dimension {dim} in another order: {first} …"
    return "slices", told


def _order_of_blocks(order: list[int], count: int) -> list[int] | None:
    """The order of so many parts of equal length, if these move as a whole."""
    length, rest = divmod(len(order), count)
    if rest:
        return None
    starts = order[::length]
    whole = [start + i for start in starts for i in range(length)]
    return [start // length for start in starts] if whole == order else None
