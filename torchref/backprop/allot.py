"""Which buffer each value of a program lives in: few, each used again as soon as it is free."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from torchref.backprop.record import Call, Value


def allot(
    calls: list[Call],
    own: Mapping[Value, Tensor],
    kept: Iterable[Value],
    device: torch.device,
) -> dict[Value, Tensor]:
    """A buffer for the output of every call that makes new entries.

    `own` are values with a tensor of their own. `kept` are values that leave the program: they
    get no buffer, nor does what they look at, so that each run makes them anew. A pointwise
    operation writes over an input that nobody reads afterwards.
    """
    owner = owners(calls)
    last_use = {owner[value]: i for i, call in enumerate(calls) for value in call.values}
    buffers: dict[Value, Tensor] = dict(own)
    rooms: dict[Value, Tensor] = {}  # the flat memory that a living value holds
    laid_out: dict[Any, Tensor] = {}
    free: list[Tensor] = []
    fresh = {owner.get(value, value) for value in kept}
    for i, call in enumerate(calls):
        if call.is_view:
            continue
        y = call.output
        done = [v for v in dict.fromkeys(map(owner.__getitem__, call.values)) if last_use[v] == i]
        if y not in buffers and y not in fresh:
            heir = next((v for v in done if v in rooms and may_overwrite(call, v, owner)), None)
            rooms[y] = rooms.pop(heir) if heir else room_for(y, free, device)
            layout = (y.like.shape, y.like.stride())
            key = (rooms[y].data_ptr(), layout)
            buffers[y] = laid_out.setdefault(key, rooms[y].as_strided(*layout))
        free += [rooms.pop(value) for value in done if value in rooms]
        if y in rooms and y not in last_use:
            free.append(rooms.pop(y))
    return buffers


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
    return (
        call.is_pointwise
        and same_layout(x, call.output)
        and all(value is x for value in call.values if owner[value] is x)
    )


def same_layout(x: Value, y: Value) -> bool:
    mine, its = x.like, y.like
    return (mine.shape, mine.stride(), mine.dtype) == (its.shape, its.stride(), its.dtype)


def room_for(y: Value, free: list[Tensor], device: torch.device) -> Tensor:
    """The smallest free room that is large enough, or a new one."""
    entries, dtype = y.like.numel(), y.like.dtype
    fitting = [room for room in free if room.dtype == dtype and room.numel() >= entries]
    if not fitting:
        return torch.empty(entries, dtype=dtype, device=device)
    best = min(fitting, key=Tensor.numel)
    del free[next(i for i, room in enumerate(free) if room is best)]
    return best
