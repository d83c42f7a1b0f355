"""Of what was recorded, the part to repeat: nothing unneeded, nothing twice, nothing constant."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from torch import Tensor

from torchref.backprop.record import Call, Value, replaced


def simplified(calls: Iterable[Call], wanted: Iterable[Value]) -> tuple[list[Call], list[Value]]:
    """The calls that `wanted` needs, and the values that stand for `wanted` among them."""
    same: dict[Value, Value] = {}
    seen: dict[Any, Value] = {}
    kept: list[Call] = []

    def first(value: Value) -> Value:
        return same.get(value, value)

    for call in calls:
        args, kwargs = (replaced(part, Value, first) for part in (call.args, call.kwargs))
        key = (call.function, identity(args), identity(list(kwargs.items())))
        if call.changes_nothing:
            same[call.output] = args[0]
            continue
        if key in seen:
            same[call.output] = seen[key]
            continue
        seen[key] = call.output
        call = replace(call, args=args, kwargs=kwargs)
        if all(value.constant for value in call.values):
            call.output.tensor, call.output.constant = evaluated(call), True
        else:
            kept.append(call)

    results = [first(value) for value in wanted]
    needed = set(results)
    for call in reversed(kept):
        if call.output in needed:
            needed.update(call.values)
    return [call for call in kept if call.output in needed], results


def identity(argument: Any) -> Any:
    """What two arguments share exactly if they are the same. 1, 1.0 and True are not."""
    if isinstance(argument, list | tuple):
        return tuple(map(identity, argument))
    return argument if isinstance(argument, Value) else (type(argument), argument)


def evaluated(call: Call) -> Tensor:
    """The result; where it is one number everywhere it takes the room of one."""
    args = replaced(call.args, Value, lambda value: value.tensor)
    y: Tensor = call.function(*args, **call.kwargs)
    first = y.flatten()[:1].clone()
    return first.expand_as(y) if y.numel() > 1 and bool((y == first).all()) else y
