"""Where each value of a program lives: as little memory as its lifetimes allow.

Values that are alive at different times share memory, a pointwise operation writes over an input
that nobody reads afterwards, and a gradient lends its memory to others until it is computed
itself. So a step holds hardly more than the parameters, their gradients and the activations that
the way back needs.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from torchref.backprop.record import Call, Value

ALIGNMENT = 64  # bytes, as torch's own allocator


@dataclass(eq=False)
class Tenancy:
    """Memory that is held from one call to another, by values that hand it on in place."""

    start: int
    end: int
    dtype: torch.dtype
    values: list[Value] = field(default_factory=list)

    @property
    def entries(self) -> int:
        step = ALIGNMENT // self.dtype.itemsize
        return math.ceil(self.values[0].like.numel() / step) * step


@dataclass(eq=False)
class House:
    """Flat memory with its tenants, each at an offset; free before the call `until`."""

    until: float
    entries: float
    tenants: list[tuple[int, Tenancy]] = field(default_factory=list)

    def offset_for(self, tenancy: Tenancy) -> int | None:
        """The lowest offset where nobody lives at the same time; None if there is no room."""
        if tenancy.end >= self.until:
            return None
        offset: int = 0
        for taken, other in sorted(self.tenants, key=lambda tenant: tenant[0]):
            if other.end < tenancy.start or tenancy.end < other.start:
                continue
            if taken - offset >= tenancy.entries:
                break
            offset = max(offset, taken + other.entries)
        return offset if offset + tenancy.entries <= self.entries else None


def allot(
    calls: list[Call], own: Mapping[Value, Tensor], kept: Iterable[Value], device: torch.device
) -> dict[Value, Tensor]:
    """A buffer for the output of every call that makes new entries.

    `own` are values with a tensor of their own, the gradients. `kept` are values that leave the
    program: they get no buffer, nor does what they look at, so that each run makes them anew.
    """
    made_at = {call.output: i for i, call in enumerate(calls)}
    owner = owners(calls)
    fresh = {owner.get(value, value) for value in kept}
    last_use = {owner[value]: i for i, call in enumerate(calls) for value in call.values}
    tenancies = tenancies_of(calls, owner, last_use, without=fresh | set(own))
    buffers = dict(own)
    for dtype in {tenancy.dtype for tenancy in tenancies}:
        lenders = {
            House(made_at[value], gradient.numel()): gradient
            for value, gradient in own.items()
            if gradient.dtype == dtype
        }
        hall = House(float("inf"), float("inf"))
        for tenancy in sorted(tenancies, key=lambda each: -each.entries):
            if tenancy.dtype == dtype:
                move_in(tenancy, [*lenders, hall])
        size = max((offset + tenant.entries for offset, tenant in hall.tenants), default=0)
        memory = lenders | {hall: torch.empty(size, dtype=dtype, device=device)}
        for house, tensor in memory.items():
            for offset, tenancy in house.tenants:
                buffers |= laid_out(tenancy, tensor, offset)
    return buffers


def move_in(tenancy: Tenancy, houses: list[House]) -> None:
    """Into the first house that has room."""
    for house in houses:
        offset = house.offset_for(tenancy)
        if offset is not None:
            house.tenants.append((offset, tenancy))
            return


def laid_out(tenancy: Tenancy, memory: Tensor, offset: int) -> dict[Value, Tensor]:
    """The tensors of a tenancy's values; values of one layout share one."""
    layout = tenancy.values[0].like
    tensor = memory.as_strided(layout.shape, layout.stride(), int(memory.storage_offset()) + offset)
    return dict.fromkeys(tenancy.values, tensor)


def tenancies_of(
    calls: list[Call],
    owner: Mapping[Value, Value],
    last_use: Mapping[Value, int],
    without: set[Value],
) -> list[Tenancy]:
    held: dict[Value, Tenancy] = {}
    for i, call in enumerate(calls):
        y = call.output
        if call.is_view or y in without:
            continue
        done = [value for value in map(owner.__getitem__, call.values) if last_use[value] == i]
        heir = next((x for x in done if x in held and may_overwrite(call, x, owner)), None)
        held[y] = Tenancy(i, i, y.like.dtype) if heir is None else held[heir]
        held[y].end = last_use.get(y, i)
        held[y].values.append(y)
    return list(dict.fromkeys(held.values()))


def owners(calls: Iterable[Call]) -> dict[Value, Value]:
    """For each value the one whose memory it looks at: itself, unless it is a view."""
    owner: dict[Value, Value] = {}
    for call in calls:
        for value in call.values:
            owner.setdefault(value, value)
        owner[call.output] = owner[call.values[0]] if call.is_view else call.output
    return owner


def may_overwrite(call: Call, x: Value, owner: Mapping[Value, Value]) -> bool:
    """Entry by entry, x is read where the output is written, and no view reads it elsewhere."""
    mine, its = x.like, call.output.like
    return (
        call.is_pointwise
        and (mine.shape, mine.stride(), mine.dtype) == (its.shape, its.stride(), its.dtype)
        and all(value is x for value in call.values if owner[value] is x)
    )
