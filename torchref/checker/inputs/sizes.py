"""Other sizes and ranks. Dimensions of equal size are taken for one, and change together."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Generator, Tensor

from torchref.checker.execution.arithmetic import is_differentiable, is_floating
from torchref.checker.execution.case import Case
from torchref.checker.inputs.values import Change

SIZES = (1, 2, 7)  # that take the place of every size
BEYOND_A_BLOCK = 131  # a prime past 128: no block size divides it
MOST_ELEMENTS = 10_000  # a candidate that solves for all pairs of 131² takes minutes
FEW = (5, 3, 7, 4, 6, 2)  # what the sizes of a large case shrink to, all different
SMALL = "with small sizes"  # where a large case is tried at others


def size_variations(case: Case, generator: Generator) -> Iterator[Change]:
    sizes = _sizes(case)
    for size in sizes:
        for other in (*SIZES, size + 1, 2 * size + 1, BEYOND_A_BLOCK):
            if other != size:
                yield from _all_dimensions(case, {size: other}, generator)
    if sizes and _may_be_empty(case, sizes[0]):
        yield from _all_dimensions(case, {sizes[0]: 0}, generator)
    for size in sizes:
        for other in sizes:
            if size != other:
                yield from _all_dimensions(case, {size: other}, generator)
    yield from _single_dimensions(case, generator)


def shrunk(case: Case) -> Case:
    """The same case with small sizes, all different where they were."""
    sizes = [size for size in _sizes(case) if size > max(FEW)]
    smaller = dict(zip(sizes, (size for size in FEW if size not in _sizes(case)), strict=False))
    changes = _resized(case, smaller, Generator().manual_seed(0))
    return case.derived(SMALL, changes)


def _sizes(case: Case) -> list[int]:
    """The sizes that occur, in order of appearance; none of a module's own.

    It will not be called with weights of another size, and kernels that trust it may crash on them.
    """
    own = {size for i in case.parameters for size in case.leaves[i].shape}
    found = dict.fromkeys(size for x in _given(case).values() for size in x.shape if size > 0)
    return [size for size in found if size not in own]


def _given(case: Case) -> dict[int, Tensor]:
    """The tensors handed over, by their places: all but a module's own."""
    return {
        i: leaf
        for i, leaf in enumerate(case.leaves)
        if isinstance(leaf, Tensor) and leaf.layout is torch.strided and i not in case.parameters
    }


def _may_be_empty(case: Case, size: int) -> bool:
    """An empty batch makes sense; an empty matrix crashes kernels, torch's own among them."""
    tensors = [leaf for leaf in case.leaves if isinstance(leaf, Tensor)]
    leading = all(size not in x.shape[1:] for x in tensors)
    return leading and all(size in x.shape for x in tensors if is_index(x))


def _all_dimensions(case: Case, sizes: Mapping[int, int], generator: Generator) -> Iterator[Change]:
    if _elements(case, sizes) > MOST_ELEMENTS:  # found out before they are allocated
        return
    if 1 in sizes.values():
        # What is a multiple of it, as three gates are, would be broadcast: another function.
        multiples = {
            size: size * new // old
            for old, new in sizes.items()
            for size in _sizes(case)
            if size % old == 0
        }
        sizes = {**sizes, **multiples}
    changes = _resized(case, sizes, generator)
    label = ", ".join(f"size {old} → {new}" for old, new in sizes.items())
    if changes:
        yield label, changes
        numbers = {
            i: sizes[leaf]
            for i, leaf in enumerate(case.leaves)
            if isinstance(leaf, int) and not isinstance(leaf, bool) and leaf in sizes
        }
        if numbers and BEYOND_A_BLOCK not in numbers.values():  # a scale of 131 makes gigabytes
            yield f"{label} (the numbers too)", {**changes, **numbers}


def _elements(case: Case, sizes: Mapping[int, int]) -> int:
    """How many entries the tensors that change would have."""
    return sum(
        math.prod(sizes.get(size, size) for size in leaf.shape)
        for leaf in case.leaves
        if isinstance(leaf, Tensor) and any(size in sizes for size in leaf.shape)
    )


def _resized(case: Case, sizes: Mapping[int, int], generator: Generator) -> dict[int, Any]:
    """The tensors that change. Indices stay within what they may point to: kernels do not ask."""
    changes = {}
    for i, leaf in enumerate(case.leaves):
        if not isinstance(leaf, Tensor) or leaf.layout is not torch.strided:
            continue
        x = leaf
        for dim, size in enumerate(leaf.shape):
            if size in sizes:
                x = resize(x, dim, sizes[size], generator)
        if is_permutation(leaf) and _has_places(case, len(leaf)):
            if len(x) != len(leaf):
                changes[i] = _permutation(leaf, len(x))
            continue
        shorter = [new for old, new in sizes.items() if new < old]
        if is_index(x) and shorter and x.numel():
            x = x.clamp_max(min(shorter) - 1)
        if x is not leaf:
            changes[i] = x
    return changes


def _has_places(case: Case, count: int) -> bool:
    """Whether there are as many places that indices may point to, which change with them."""
    return any(count in x.shape for x in case.leaves if is_differentiable(x))


def _single_dimensions(case: Case, generator: Generator) -> Iterator[Change]:
    """One dimension of one tensor alone: makes squares oblong, and lengths ragged.

    Never to size 1, which would broadcast: more than a candidate may have promised.
    """
    given, sizes = _given(case), _sizes(case)
    indexed = any(is_index(leaf) for leaf in given.values())
    for i, leaf in given.items():
        if (indexed and not is_index(leaf)) or is_permutation(leaf):
            continue
        for dim, size in enumerate(leaf.shape):
            if size > 1 and size in sizes:
                for other in {size + 2, max(2, size - 1)} - {size}:
                    label = f"{case.names[i]} of size {other} along dimension {dim}"
                    yield label, {i: resize(leaf, dim, other, generator)}


def rank_variations(case: Case, _: Generator) -> Iterator[Change]:
    """A leading dimension more or less, for all tensors that have the first argument's."""
    tensors = {i: x for i, x in _given(case).items() if x.dim()}
    if not tensors:
        return
    size = next(iter(tensors.values())).shape[0]
    alike = {i: x for i, x in tensors.items() if x.shape[0] == size}
    names = ", ".join(case.names[i] for i in alike)
    yield f"one more dimension in {names}", {i: torch.stack([x, x]) for i, x in alike.items()}
    if size:
        yield f"one dimension less in {names}", {i: x[0].clone() for i, x in alike.items()}


def is_index(x: Tensor) -> bool:
    """Whether the entries are integers, and so may say where to read or write."""
    return not is_floating(x) and x.dtype is not torch.bool


def in_order(x: Tensor) -> bool:
    """Whether indices rise, as those do that say where each part begins: it may be promised."""
    return x.dim() == 1 and len(x) > 1 and bool((x[1:] >= x[:-1]).all())


def is_permutation(x: Tensor) -> bool:
    """Whether indices name each of so many places once, as those of an order do: likewise."""
    if not is_index(x) or x.dim() != 1 or len(x) < 3:
        return False
    return torch.equal(x.sort().values, torch.arange(len(x), dtype=x.dtype, device=x.device))


def _permutation(x: Tensor, size: int) -> Tensor:
    """That of fewer places, or of more, which stay where they are."""
    beyond = torch.arange(len(x), max(len(x), size), dtype=x.dtype, device=x.device)
    return torch.cat([x[x < size], beyond])


def resize(x: Tensor, dim: int, size: int, generator: Generator) -> Tensor:
    """x shortened, or lengthened by values between those it has: the domain stays, ties do not."""
    if size <= x.shape[dim] or not x.shape[dim]:
        return x.narrow(dim, 0, min(size, x.shape[dim])).clone()
    before, missing = x.shape[dim], size - x.shape[dim]
    places = torch.randint(0, before, (missing,), generator=generator, device="cpu")
    steps = torch.randint(
        1, max(before, 2), (missing,), generator=generator, device="cpu"
    )  # to another place
    first, second = (
        x.index_select(dim, at.to(x.device)) for at in (places, (places + steps) % before)
    )
    if not is_differentiable(x):
        longer = torch.cat([x, first], dim)
        return longer.sort().values if is_index(x) and in_order(x) else longer
    share = torch.rand(first.shape, generator=generator, device="cpu", dtype=torch.float64).to(
        x.device
    )
    return torch.cat([x, first + (second - first) * share.to(x.real.dtype)], dim)
